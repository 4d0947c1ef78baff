"""Celery: one tick that looks for due experiments, what is counted now and then, and what is to be erased."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from kombu import Queue

from controlplane.settings import get_environment
from controlplane.settings.beat import every
from controlplane.settings.logs import configure_logging
from controlplane.settings.queues import JOBS, queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.settings.django")

environment = get_environment()

BELONGING_SECONDS = 600.0
ERASURE_SECONDS = 60.0
EVIDENCE_SECONDS = 6 * 3600.0
MISSING_SECONDS = 600.0
SIZES_SECONDS = 3600.0

app = Celery("sluice", broker=environment.redis_url)
app.conf.update(
    task_ignore_result=True,
    task_queues=[Queue(queue(job), routing_key=queue(job)) for job in JOBS],
    task_routes={job: {"queue": queue(job)} for job in JOBS},
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    beat_scheduler="controlplane.settings.beat:Scheduler",
    beat_schedule={
        job: {"task": job, "schedule": every(seconds)}
        for job, seconds in {
            "experiments.loop.jobs.tick": environment.tick_seconds,
            "experiments.loop.jobs.check_evidence": EVIDENCE_SECONDS,
            "experiments.data_health.jobs.count_what_is_missing": MISSING_SECONDS,
            "experiments.data_health.jobs.measure_what_is_stored": SIZES_SECONDS,
            "routing.intake.jobs.see_what_outcomes_belong_to": BELONGING_SECONDS,
            "routing.erasure.jobs.erase_what_is_asked": ERASURE_SECONDS,
        }.items()
    },
)
app.autodiscover_tasks(
    ["experiments.loop", "experiments.data_health", "routing.intake", "routing.erasure"], related_name="jobs"
)


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Stop Celery from replacing the JSON logs."""
    configure_logging(environment.log_level)
