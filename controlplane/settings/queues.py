"""Each job has a queue of its own in Redis: a list, whose length says how often the job waits for a worker."""

import redis
import structlog

PREFIX = "sluice:queue:"

JOBS = (
    "experiments.loop.jobs.tick",
    "experiments.loop.jobs.reconcile_experiment",
    "experiments.loop.jobs.explore",
    "experiments.loop.jobs.check_evidence",
    "experiments.data_health.jobs.count_what_is_missing",
    "experiments.data_health.jobs.measure_what_is_stored",
    "routing.intake.jobs.see_what_outcomes_belong_to",
    "routing.erasure.jobs.erase_what_is_asked",
)

log = structlog.get_logger(__name__)


def queue(job: str) -> str:
    """Where a job waits."""
    return PREFIX + job.rpartition(".")[2]


def waiting(client: redis.Redis, job: str) -> int:
    """How often a job waits for a worker.

    What somebody else wrote in the queue's place, which no worker can take anything from, is removed: nothing else can
    while no tick is sent. Raises `redis.RedisError`.
    """
    name = queue(job)
    try:
        return int(client.llen(name))
    except redis.ResponseError as error:
        if not str(error).startswith("WRONGTYPE"):
            raise
        log.error("what lay in the place of a queue is removed", key=name)
        client.delete(name)
        return 0
