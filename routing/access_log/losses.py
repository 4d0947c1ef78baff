"""The rows that an edge has lost, as far as it can tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import TypeAdapter

from routing.access_log.counts import Origin

MOST_KEPT = 200


@dataclass(frozen=True, slots=True)
class Loss:
    """Rows of one origin that are missing, and between when they went missing (ISO 8601).

    `rows` is None where a run of Envoy ended before it could be asked how many: nobody can tell these, nor of which
    backend or arm they are.
    """

    run: str
    backend: str
    experiment: str
    variant: str
    rows: int | None
    since: str
    until: str

    @property
    def origin(self) -> Origin:
        """Whose rows they are."""
        return Origin(self.run, self.backend, self.experiment, self.variant)


@dataclass(slots=True)
class Losses:
    """All that are known, and the run of Envoy that could not write its log when it was last asked."""

    known: list[Loss] = field(default_factory=list)
    failing: str = ""

    def note(self, missing: Mapping[Origin, int], moment: float) -> bool:
        """Take in how many rows of each origin are missing; whether that says anything new."""
        told = {loss.origin: loss.rows or 0 for loss in self.known}
        news = {origin: rows for origin, rows in missing.items() if rows > told.get(origin, 0)}
        for origin, rows in news.items():
            self._put(origin, rows, moment)
        return bool(news)

    def note_run(self, run: str, moment: float, *, failing: bool) -> bool:
        """Take in which run of Envoy lives, and whether it fails to write its log; whether that says anything new.

        A run that ended while it could not write has lost what nobody can tell.
        """
        before = self.failing
        if before and run != before:
            self._put(Origin(before, ""), None, moment)
        self.failing = run if failing else ""
        return self.failing != before

    def told(self) -> str:
        """The losses as the heartbeat tells them."""
        return _LIST.dump_json(self.known).decode()

    def to_json(self) -> str:
        """As they outlive the agent."""
        return _LOSSES.dump_json(self).decode()

    def _put(self, origin: Origin, rows: int | None, moment: float) -> None:
        at = datetime.fromtimestamp(moment, UTC).isoformat()
        before = next((loss for loss in self.known if loss.origin == origin), None)
        since = before.since if before else at
        others = [loss for loss in self.known if loss is not before]
        loss = Loss(origin.run, origin.backend, origin.experiment, origin.variant, rows, since, until=at)
        self.known = [*others, loss][-MOST_KEPT:]


def read_losses(text: str | bytes) -> Losses:
    """Raises `ValueError` when the text is none."""
    return _LOSSES.validate_json(text)


_LIST = TypeAdapter(list[Loss])
_LOSSES = TypeAdapter(Losses)
