"""What every change of what routing tables are made of has in common."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from controlplane.problems.errors import InvalidInput
from controlplane.storage.keyed import Keyed
from controlplane.storage.races import beside_others
from routing.publishing.compilation import compile_table
from routing.publishing.newest_table import latest_table
from routing.resources.refuse_candidates import no_halt_into_candidates
from routing.table import Hindrance

TURN = 5_103_054
"""The number of the lock in PostgreSQL; any that nothing else uses."""


@contextmanager
def changing(*things: Keyed) -> Iterator[None]:
    """A transaction that changes what routing tables are made from: one at a time, so that none takes away what
    another begins to name. Brakes do not wait for it.

    Raises `Conflict` when it does not go together with what was saved meanwhile, or when users would have a candidate
    by default, into whose hands a halt would give it; `InvalidInput` when edges could not
    serve what would follow. Then nothing is saved. What was broken before keeps nobody from changing something else
    than these `things`.
    """
    with beside_others():
        _take_turn()
        broken_before = {hindrance.subject for hindrance in _hindrances()}
        with no_halt_into_candidates():
            yield
        minded = {f"{thing._meta.model_name} {thing.key}" for thing in things}
        for hindrance in _hindrances():
            if hindrance.subject not in broken_before - minded:
                raise InvalidInput(hindrance.code, hindrance.detail, next_step=hindrance.next_step)


def _take_turn() -> None:
    """SQLite has one writer at a time by itself."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])


def _hindrances() -> tuple[Hindrance, ...]:
    return compile_table(latest_table()).hindrances
