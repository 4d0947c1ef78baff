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

from controlplane.problems.problem import HasProblem, Problem


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field that was wrong: its path in the input, and why."""

    field: str
    message: str


class SluiceError(HasProblem, Exception):
    """A problem that ends what was begun; `status` and `title` are those of its kind."""

    status = 500
    title = "Something went wrong"

    def __init__(self, code: str, detail: str, *, next_step: str, problems: tuple[FieldProblem, ...] = ()) -> None:
        self.problem = Problem(code, self.title, detail, next_step)
        super().__init__(self.problem.advice)
        self.problems = problems


class InvalidInput(SluiceError):
    """What was sent cannot be used as it is."""

    status = 400
    title = "Bad request"


class TooLarge(InvalidInput):
    """There is too much of it."""

    status = 413
    title = "Too large"


class NotAllowed(SluiceError):
    """The actor lacks the role for it."""

    status = 403
    title = "Not allowed"


class Missing(SluiceError):
    """The thing is not there, or not any more."""

    status = 404
    title = "Not found"


class Conflict(SluiceError):
    """The thing is not in a state that permits it."""

    status = 409
    title = "Conflict"


class Outdated(SluiceError):
    """The thing was changed since the caller read it."""

    status = 412
    title = "Precondition failed"


class Unavailable(SluiceError):
    """A part that is needed does not answer; trying again is right."""

    status = 503
    title = "Unavailable"


class RecordedLater(SluiceError):
    """It is done, and the database hears of it later: no plain success, and nothing to do again."""

    status = 202
    title = "Done, recorded later"
