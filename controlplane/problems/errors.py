"""What can go wrong, in words a caller can act on.

SluiceError
├── InvalidInput        what was sent cannot be used as it is
│   └── TooLarge        there is too much of it
├── NotAllowed          the actor lacks the role for it
├── Missing             the thing is not there, or not any more
├── Conflict            the thing is not in a state that permits it
├── Outdated            the thing was changed since the caller read it
├── Unavailable         a part that is needed does not answer; trying again is right
└── RecordedLater       it is done, and the database hears of it later
"""

from dataclasses import dataclass

from controlplane.problems.problem import TITLES, HasProblem, Problem


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field that was wrong: its path in the input, and why.

    Of a file also where it stands, by line and column from 1, and what it may be.
    """

    field: str
    message: str
    line: int | None = None
    column: int | None = None
    allowed: str = ""


class SluiceError(HasProblem, Exception):
    """A problem that ends what was begun; `status` is that of its kind, and so is a `title` where HTTP has none."""

    status = 500
    title = ""

    def __init__(self, code: str, detail: str, *, next_step: str, problems: tuple[FieldProblem, ...] = ()) -> None:
        title = self.title or TITLES[self.status]
        self.problem = Problem(code, title, detail, next_step)
        super().__init__(self.problem.advice)
        self.problems = problems


class InvalidInput(SluiceError):
    """What was sent cannot be used as it is."""

    status = 400


class TooLarge(InvalidInput):
    """There is too much of it."""

    status = 413


class NotAllowed(SluiceError):
    """The actor lacks the role for it."""

    status = 403


class Missing(SluiceError):
    """The thing is not there, or not any more."""

    status = 404


class Conflict(SluiceError):
    """The thing is not in a state that permits it."""

    status = 409


class Outdated(SluiceError):
    """The thing was changed since the caller read it."""

    status = 412


class Unavailable(SluiceError):
    """A part that is needed does not answer; trying again is right."""

    status = 503


class RecordedLater(SluiceError):
    """It is done, and the database hears of it later: no plain success, and nothing to do again."""

    status = 202
    title = "Done, recorded later"
