"""What can go wrong: a code, a sentence, what to do next, and what the command ends with.

Problem
├── Refused        Sluice answered, and says no
├── Unreachable    nothing answered, or nothing that can be used; trying again is right
├── TimedOut       there was no decision in time
└── WrongUse       what was asked for makes no sense
"""

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What the command ends with; pipelines go by it."""

    PASSED = 0
    FAILED = 1
    INCONCLUSIVE = 2
    NOT_MEASURED = 3
    WRONG_USE = 4
    CHANGED = 10


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field that was wrong; of a file where it stands, from 1, and what may stand there."""

    field: str
    message: str
    line: int | None = None
    column: int | None = None
    allowed: str = ""


class Problem(Exception):
    """What ended a call or a command."""

    exit_code = ExitCode.NOT_MEASURED

    def __init__(self, code: str, detail: str, next_step: str) -> None:
        super().__init__(f"{detail} {next_step}")
        self.code = code
        self.detail = detail
        self.next_step = next_step


class Refused(Problem):
    """Sluice says no; `status` is that of its answer, and `fields` says what is wrong with each field."""

    exit_code = ExitCode.WRONG_USE

    def __init__(
        self, code: str, detail: str, next_step: str, *, status: int, fields: tuple[FieldProblem, ...] = ()
    ) -> None:
        super().__init__(code, detail, next_step)
        self.status = status
        self.fields = fields


class Unreachable(Problem):
    """Nothing answered, or nothing that can be used, and nobody knows whether the call was heard."""


class TimedOut(Problem):
    """There was no decision in time."""


class WrongUse(Problem):
    """What was asked for makes no sense."""

    exit_code = ExitCode.WRONG_USE
