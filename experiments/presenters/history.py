"""Who did what to an experiment, when and why: decisions, and what people did beside them."""

from dataclasses import dataclass
from datetime import datetime

from controlplane.models import AuditEvent
from experiments.models import Decision
from experiments.models.decision import DecisionKind
from experiments.presenters.page_reads import WITHOUT_DECISION, Dossier

TONES = {
    DecisionKind.ADVANCE: "calm",
    DecisionKind.PROMOTE: "good",
    DecisionKind.HALT: "bad",
    DecisionKind.HOLD: "",
    DecisionKind.INCONCLUSIVE: "wait",
}


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
    lines = [_decision(decision) for decision in dossier.decisions] + [_event(event) for event in dossier.events]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _decision(decision: Decision) -> HistoryLine:
    kind = DecisionKind(decision.kind)
    return HistoryLine(decision.at, decision.actor, kind.label, TONES[kind], decision.reason)


def _event(event: AuditEvent) -> HistoryLine:
    return HistoryLine(event.at, event.actor, WITHOUT_DECISION[event.verb], "", event.reason)
