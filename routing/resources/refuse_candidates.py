"""Refuse to make what is tried in an experiment what its users have without it: a halt gives them just that."""

from collections.abc import Iterator
from contextlib import contextmanager

from controlplane.problems.errors import Conflict
from routing.models import Split
from routing.publishing.wanted_table import unbraked_table
from routing.table import HaltedInto, Table, halted_into

DEFAULT_IS_CANDIDATE = "default-is-candidate"


@contextmanager
def no_halt_into_candidates() -> Iterator[None]:
    """Compare what users have before and after what is done within; call it in a transaction and its turn.

    Experiments that the kill switch has stopped count, since they go on after it. Raises `Conflict`.
    """
    before = _running_table()
    yield
    found = next(halted_into(before, _running_table()), None)
    if found is not None:
        raise _refusal(found)


def _running_table() -> Table:
    """Empty where nothing runs, so that only who has experiments pays for reading all."""
    return unbraked_table().table if Split.objects.exists() else Table(version=0, endpoints=(), backends=())


def _refusal(found: HaltedInto) -> Conflict:
    gift, experiment = found.gift, found.experiment
    if found.starts:
        detail = (
            f"{gift.backend} is a candidate of {experiment}, and its users have it already, {gift.source}: "
            "were it halted, all of them would get it."
        )
        next_step = "Try another candidate, or give these users something else first."
        return Conflict(DEFAULT_IS_CANDIDATE, detail, next_step=next_step)
    detail = (
        f"{gift.backend} is a candidate of {experiment}, which runs: were it halted, users would get it, {gift.source}."
    )
    return Conflict(DEFAULT_IS_CANDIDATE, detail, next_step="Halt that experiment first, or promote it there.")
