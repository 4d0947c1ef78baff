"""Append one decision to an experiment's hash chain."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from controlplane.audit.actors import Actor
from experiments.decide.types import Decision as PureDecision
from experiments.lifecycle.ledger import entry_hash
from experiments.models import Analysis, Decision, Experiment

LAST_SEQUENCE = 2**31 - 1
"""What every database takes; a link numbered so, or not by a number at all, has no next one."""


def append_decision(
    experiment: Experiment,
    decision: PureDecision,
    *,
    actor: Actor,
    analysis: Analysis | None = None,
    at: datetime | None = None,
) -> Decision:
    """Add the next link, as of now unless told otherwise.

    Two writers cannot add the same one: the database refuses a repeated sequence number.
    """
    sequence, previous_hash = _last_link(experiment)
    entry = Decision(
        experiment=experiment,
        sequence=sequence + 1,
        kind=decision.kind.value,
        code=decision.code,
        reason=decision.reason,
        actor=actor.name,
        at=at or timezone.now(),
        stage_index=experiment.stage_index if isinstance(experiment.stage_index, int) else 0,
        variant_key=decision.variant,
        analysis=analysis,
        evidence=_evidence(analysis),
        previous_hash=previous_hash,
    )
    entry.hash = entry_hash(hashed_content(entry), entry.previous_hash)
    entry.save(force_insert=True)
    return entry


def _last_link(experiment: Experiment) -> tuple[int, str]:
    """Number and hash of the last link that another can follow."""
    links = experiment.decisions.filter(sequence__gte=1, sequence__lt=LAST_SEQUENCE).order_by("-sequence")
    return links.values_list("sequence", "hash").first() or (0, "")


def hashed_content(entry: Decision) -> dict[str, Any]:
    """The part of a decision that its hash covers."""
    return {
        "experiment": entry.experiment.key,
        "sequence": entry.sequence,
        "kind": entry.kind,
        "code": entry.code,
        "reason": entry.reason,
        "actor": entry.actor,
        "at": entry.at.isoformat(),
        "stage_index": entry.stage_index,
        "variant": entry.variant_key,
        "evidence": entry.evidence,
    }


def _evidence(analysis: Analysis | None) -> dict[str, Any]:
    if analysis is None:
        return {}
    return {
        "analysis": analysis.pk,
        "look": analysis.look,
        "results": analysis.results,
        "sufficient_statistics": analysis.evidence,
        "lake_version": analysis.lake_version,
        "table_version": analysis.table_version,
        "code_version": analysis.code_version,
    }
