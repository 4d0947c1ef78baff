"""The right to analyse one experiment: one worker at a time has it, and what it writes without it does not count.

A lease lasts for half a minute and is renewed while the work goes on, so that it outlives a slow analysis, and that of
a worker which died or stands still lapses. Each one has a higher token than all before: a fence, which every write
under the lease checks in its own transaction. Its clock is the database's, the one that all workers share, and is no
experiment's. A person needs no lease, and is never kept waiting by one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from controlplane.problems.errors import Conflict
from experiments.models import Experiment

LEASE = timedelta(seconds=30)
RENEWED_AFTER_SECONDS = 8.0
MOST_RENEWALS = 450
"""For an hour: who is at it for longer hangs, and another worker shall try."""

log = structlog.get_logger(__name__)


def unleased() -> Q:
    """Experiments whose lease may be taken; one that ends later than any can is from before the clock was set back."""
    return Q(lease_until=None) | Q(lease_until__lte=Now()) | Q(lease_until__gt=Now() + 2 * LEASE)


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease on the experiment `pk`."""

    pk: int
    token: int

    @property
    def fence(self) -> dict[str, Any]:
        """What the experiment's row says as long as writes under this lease count."""
        return {"lease_token": self.token, "lease_until__gt": Now()}

    def renew(self, **still: Any) -> None:
        """Have it last from now on, and lock the experiment's row until the transaction ends, if there is one.

        Raises `Conflict` when it has lapsed, when somebody else has a newer one, or when the row is not `still` so.
        """
        held = Experiment.objects.filter(pk=self.pk, **self.fence, **still)
        if not held.update(lease_until=Now() + LEASE):
            raise Conflict(
                "lease-lost",
                "Somebody changed the experiment, or took over from a worker that held it for too long.",
                next_step="Nothing is left to do: the next tick analyses the experiment again.",
            )

    def give_back(self) -> None:
        """Let the next worker have it at once."""
        Experiment.objects.filter(pk=self.pk, **self.fence).update(lease_until=None)


@contextmanager
def leased(experiment: Experiment) -> Iterator[Lease | None]:
    """The lease, for as long as the block takes, with the experiment as it is now; None when another worker has it."""
    lease = _take(experiment)
    if lease is None:
        yield None
        return
    done = Event()
    keeper = Thread(target=_keep_apart, args=(lease, done), name=f"lease of {experiment.key}", daemon=True)
    keeper.start()
    try:
        yield lease
    finally:
        done.set()
        keeper.join()
        lease.give_back()


def _take(experiment: Experiment) -> Lease | None:
    with transaction.atomic():
        free = Experiment.objects.select_for_update().filter(unleased(), pk=experiment.pk)
        token = free.values_list("lease_token", flat=True).first()
        if token is None:
            return None
        lease = Lease(experiment.pk, token + 1)
        taken = Experiment.objects.filter(unleased(), pk=experiment.pk, lease_token=token)
        if not taken.update(lease_token=lease.token, lease_until=Now() + LEASE):
            return None
    experiment.refresh_from_db()
    return lease


def _keep_apart(lease: Lease, done: Event) -> None:
    """In a thread of its own, with a connection of its own."""
    try:
        keep(lease, done)
    finally:
        connection.close()


def keep(lease: Lease, done: Event) -> None:
    """Renew a lease until its work is done, or it is lost."""
    for _ in range(MOST_RENEWALS):
        if done.wait(RENEWED_AFTER_SECONDS):
            return
        try:
            lease.renew()
        except Conflict:
            log.warning("lease lost", experiment=lease.pk, token=lease.token)
            return
        except DatabaseError as error:
            log.warning("lease not renewed yet", experiment=lease.pk, error=str(error))
