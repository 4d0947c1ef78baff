"""What can be wrong with what statistics are asked.

StatisticsError
├── InvalidPlan        the plan itself cannot be judged, whatever the data
├── InvalidEvidence    counts or sums that no data can have
└── InvalidArgument    a single number outside of its range

Too little data, or data that cannot tell, is no error: it is the verdict *insufficient*, with a note.
"""

from collections.abc import Callable

from controlplane.problems.problem import HasProblem, Problem


class StatisticsError(HasProblem, ValueError):
    """A problem with what was given."""

    def __init__(self, code: str, detail: str, *, next_step: str) -> None:
        self.problem = Problem.of(code, detail, next_step)
        super().__init__(self.problem.advice)


class InvalidPlan(StatisticsError):
    """The plan itself cannot be judged, whatever the data."""


class InvalidEvidence(StatisticsError):
    """Counts or sums that no data can have."""


class InvalidArgument(StatisticsError):
    """A single number outside of its range."""


def require(holds: bool, error: Callable[[], StatisticsError]) -> None:
    """Raise the error unless the condition holds."""
    if not holds:
        raise error()
