"""Celery: one tick that looks for due experiments, what is counted now and then, and what is to be erased."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

from controlplane.settings import get_environment
from controlplane.settings.logs import configure_logging

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
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    beat_schedule={
        "tick": {
            "task": "experiments.loop.jobs.tick",
            "schedule": environment.tick_seconds,
            "options": {"expires": 5 * environment.tick_seconds},
        },
        "evidence": {
            "task": "experiments.loop.jobs.check_evidence",
            "schedule": EVIDENCE_SECONDS,
            "options": {"expires": EVIDENCE_SECONDS},
        },
        "what outcomes belong to": {
            "task": "routing.intake.jobs.see_what_outcomes_belong_to",
            "schedule": BELONGING_SECONDS,
            "options": {"expires": BELONGING_SECONDS},
        },
        "what is missing": {
            "task": "experiments.data_health.jobs.count_what_is_missing",
            "schedule": MISSING_SECONDS,
            "options": {"expires": MISSING_SECONDS},
        },
        "sizes": {
            "task": "experiments.data_health.jobs.measure_what_is_stored",
            "schedule": SIZES_SECONDS,
            "options": {"expires": SIZES_SECONDS},
        },
        "erasures": {
            "task": "routing.erasure.jobs.erase_what_is_asked",
            "schedule": ERASURE_SECONDS,
            "options": {"expires": ERASURE_SECONDS},
        },
    },
)
app.autodiscover_tasks(
    ["experiments.loop", "experiments.data_health", "routing.intake", "routing.erasure"], related_name="jobs"
)


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Stop Celery from replacing the JSON logs."""
    configure_logging(environment.log_level)
