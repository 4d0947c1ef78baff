"""Who did what to an experiment, when and why: decisions, and what people did beside them."""

from dataclasses import dataclass
from datetime import datetime

from controlplane.models import AuditEvent
from experiments.models import Decision
from experiments.models.decision import DecisionKind
from experiments.presenters.page_reads import AROUND, WITHOUT_DECISION, Dossier

TONES = {
    DecisionKind.ADVANCE: "calm",
    DecisionKind.PROMOTE: "good",
    DecisionKind.HALT: "bad",
    DecisionKind.HOLD: "",
    DecisionKind.INCONCLUSIVE: "wait",
}


UNSEEN_BY_USERS = frozenset({"name"})


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One entry of the log."""

    at: datetime
    who: str
    what: str
    tone: str
    reason: str


def log_lines(dossier: Dossier) -> list[HistoryLine]:
    """Newest first."""
    events = [event for event in dossier.events if event.object_type == "experiment" or _changed(event)]
    lines = [_decision(decision) for decision in dossier.decisions] + [_event(event) for event in events]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _decision(decision: Decision) -> HistoryLine:
    kind = DecisionKind(decision.kind)
    return HistoryLine(decision.at, decision.actor, kind.label, TONES[kind], decision.reason)


def _event(event: AuditEvent) -> HistoryLine:
    if event.object_type != "experiment":
        return _around(event)
    return HistoryLine(event.at, event.actor, WITHOUT_DECISION[event.verb], "", event.reason)


def _around(event: AuditEvent) -> HistoryLine:
    """What was measured before and after it is evidence of the same plan: people judge whether it should be."""
    what = f"{AROUND[event.verb]} {event.object_type}"
    reason = " ".join(filter(None, (f"{event.object_key}: {', '.join(_changed(event))}.", event.reason)))
    return HistoryLine(event.at, event.actor, what, "wait", reason)


def _changed(event: AuditEvent) -> list[str]:
    """The fields that are other than before and may make a difference to users."""
    changed = {name for name, value in event.after.items() if event.before.get(name) != value}
    return sorted(changed - UNSEEN_BY_USERS)
