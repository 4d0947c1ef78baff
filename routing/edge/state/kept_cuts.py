"""The cuts of one edge: on disk, so that they outlive the agent, and shared by its loops."""

from pathlib import Path
from threading import Lock

import structlog
from pydantic import TypeAdapter, ValidationError

from routing.edge.state.files import keep_text, kept_text
from routing.guard import Cut, without
from routing.table import Table

log = structlog.get_logger()

_CUTS = TypeAdapter(tuple[Cut, ...])


class Cuts:
    """What this edge ejected. The table decides how long: cuts that no longer concern it are forgotten."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._cuts = _read(path)

    def now(self) -> tuple[Cut, ...]:
        """All of them."""
        return self._cuts

    def add(self, cut: Cut) -> None:
        """Remember one; a second one for the same arm and round changes nothing."""
        with self._lock:
            if not any(_same(cut, other) for other in self._cuts):
                self._keep((*self._cuts, cut))

    def apply(self, table: Table, others: tuple[Cut, ...] = ()) -> Table:
        """The table without what was cut, and without others that are not kept."""
        return without(table, (*self._cuts, *others))

    def forget_all_but(self, table: Table) -> None:
        """Forget what a newer table has ended or reinstated."""
        experiments = [experiment for endpoint in table.endpoints for experiment in endpoint.experiments]
        with self._lock:
            kept = tuple(cut for cut in self._cuts if any(cut.concerns(experiment) for experiment in experiments))
            if kept != self._cuts:
                self._keep(kept)

    def to_json(self) -> str:
        """As the heartbeat tells them."""
        return _CUTS.dump_json(self._cuts).decode()

    def _keep(self, cuts: tuple[Cut, ...]) -> None:
        keep_text(self._path, _CUTS.dump_json(cuts).decode())
        self._cuts = cuts


def _same(cut: Cut, other: Cut) -> bool:
    return (cut.experiment, cut.variant, cut.guard_round) == (other.experiment, other.variant, other.guard_round)


def _read(path: Path) -> tuple[Cut, ...]:
    try:
        return _CUTS.validate_json(kept_text(path))
    except FileNotFoundError:
        return ()
    except ValidationError as error:
        log.warning("cuts on disk left aside", reason=str(error))
        return ()
