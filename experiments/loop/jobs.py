"""What the worker does."""

from collections.abc import Callable
from functools import partial

import redis
import structlog
from django.utils import timezone

from controlplane.settings.celery import app
from controlplane.settings.queues import waiting
from controlplane.storage.redis_connections import get_redis
from experiments.exploration.claim_due import claim_due_explorations
from experiments.exploration.explore import explore_experiment
from experiments.loop.carry import evidence_is_right, forget_ended
from experiments.loop.claim_due import claim_due
from experiments.loop.reconcile import reconcile
from experiments.loop.record_orders import record_orders
from experiments.models import Experiment
from experiments.models.experiment import LIVE_STATES
from routing import redis_keys
from routing.alerts.clocks import note_clock
from routing.alerts.note_tick import note_tick
from routing.edges.record_edges import record_edges
from routing.places.all_places import all_places
from routing.places.clear_places import clear_places
from routing.publishing.publish import publish

log = structlog.get_logger(__name__)


@app.task
def tick() -> None:
    """Bring what is published in line with the database, then look at every experiment that is due.

    Each job stands alone: one that fails is logged, and keeps no other from its work.
    """
    for job in JOBS:
        _alone(job, job=job.__name__)


@app.task
def reconcile_experiment(pk: int) -> None:
    """Analyse one experiment, decide and act."""
    reconcile(Experiment.objects.select_related("plan", "endpoint").get(pk=pk), now=timezone.now())


@app.task
def explore(pk: int) -> None:
    """Compute one experiment's effects by dimension; nothing is decided on them."""
    explore_experiment(Experiment.objects.select_related("plan", "endpoint").get(pk=pk), timezone.now())


@app.task
def check_evidence() -> None:
    """Compare what is carried of each experiment with what the lake tells, and remove what is carried of ended ones."""
    forget_ended()
    for experiment in Experiment.objects.filter(state__in=LIVE_STATES).select_related("plan", "endpoint"):
        _alone(partial(evidence_is_right, experiment, timezone.now()), experiment=experiment.key)


def record_what_waits() -> None:
    """What was done while the database could not be written comes before what is decided now."""
    record_orders()


def publish_what_is_wanted() -> None:
    """Tell the edges."""
    publish("reconciled")


def clear_what_is_in_the_way() -> None:
    """What somebody else wrote in Redis in the place of something of ours would stop whoever reads there."""
    client = get_redis()
    clear_places(client, redis_keys.kinds())
    clear_places(client, all_places(client, timezone.now()))


def hear_from_edges() -> None:
    """Keep what they tell."""
    record_edges(get_redis())


def look_at_what_is_due() -> None:
    """Have each due experiment looked at, by whoever is free."""
    for pk in claim_due(timezone.now(), waiting=_waiting()):
        _alone(partial(reconcile_experiment.delay, pk), experiment=pk)


def _waiting() -> int:
    """How many wait already; none where that cannot be known, as Redis is away and nobody can be sent either."""
    try:
        return waiting(get_redis(), reconcile_experiment.name)
    except redis.RedisError:
        return 0


def explore_what_is_due() -> None:
    """Have the effects by dimension computed, behind all that decides."""
    for pk in claim_due_explorations(timezone.now()):
        _alone(partial(explore.delay, pk), experiment=pk)


def note_that_it_ran() -> None:
    """Where no worker goes through its tick, an alert says so."""
    note_tick(timezone.now())


def compare_clocks() -> None:
    """Where this machine's is off, an alert says so."""
    note_clock()


JOBS: tuple[Callable[[], None], ...] = (
    record_what_waits,
    publish_what_is_wanted,
    clear_what_is_in_the_way,
    hear_from_edges,
    look_at_what_is_due,
    explore_what_is_due,
    compare_clocks,
    note_that_it_ran,
)


def _alone(work: Callable[[], object], **what: object) -> None:
    try:
        work()
    except Exception:
        log.exception("the tick goes on without it", **what)
