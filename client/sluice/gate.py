"""Whether an experiment is decided, as Sluice tells a pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sluice.problems import ExitCode


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided last, by whom, and why."""

    kind: str
    reason: str
    actor: str
    at: datetime
    variant: str


@dataclass(frozen=True, slots=True)
class Gate:
    """One experiment: how it ended, or what it waits for, and when that is due where that is known.

    `outcome` is promoted, halted, inconclusive or undecided. `retry_after` is set, in seconds, where too many others
    wait: ask again then, and not sooner.
    """

    key: str
    name: str
    state: str
    decided: bool
    outcome: str
    exit_code: ExitCode
    sentence: str
    waits_for: str
    due_at: datetime | None
    decided_at: datetime | None
    decision: Decision | None
    retry_after: float | None = None


def read_gate(content: Mapping[str, Any], headers: Mapping[str, str]) -> Gate:
    """A gate as it was sent. Raises `KeyError`, `TypeError` and `ValueError` for what is none."""
    decision = content["decision"]
    asked_later = headers.get("retry-after")
    return Gate(
        key=content["key"],
        name=content["name"],
        state=content["state"],
        decided=content["decided"],
        outcome=content["outcome"],
        exit_code=ExitCode(content["exit_code"]),
        sentence=content["sentence"],
        waits_for=content["waits_for"],
        due_at=_moment(content["due_at"]),
        decided_at=_moment(content["decided_at"]),
        decision=None if decision is None else _decision(decision),
        retry_after=None if asked_later is None else float(asked_later),
    )


def _decision(content: Mapping[str, Any]) -> Decision:
    at = datetime.fromisoformat(content["at"])
    return Decision(content["kind"], content["reason"], content["actor"], at, content["variant"])


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
