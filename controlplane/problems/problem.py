"""What is wrong, in the one shape that all parts tell it in. It needs nothing, so that pure cores and edges use it."""

from dataclasses import dataclass
from typing import Self

TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    408: "Request timeout",
    409: "Conflict",
    412: "Precondition failed",
    413: "Content too large",
    415: "Unsupported media type",
    422: "Unprocessable content",
    426: "Upgrade required",
    429: "Too many requests",
    431: "Request header fields too large",
    500: "Internal server error",
    501: "Not implemented",
    502: "Bad gateway",
    503: "Service unavailable",
    504: "Gateway timeout",
}
"""What HTTP calls each status that is answered here."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong: a code that stays the same, a title, a sentence with the particulars, and what to do next."""

    code: str
    title: str
    detail: str
    next_step: str

    @classmethod
    def of(cls, code: str, detail: str, next_step: str) -> Self:
        """One whose title is its code in words.

        >>> Problem.of("edge-silent", "Edge a is silent.", "Check that it runs.").title
        'Edge silent'
        """
        return cls(code, code.replace("-", " ").capitalize(), detail, next_step)

    @classmethod
    def of_status(cls, status: int, code: str, detail: str, next_step: str) -> Self:
        """One that is answered over HTTP: its title is what HTTP calls the status."""
        return cls(code, TITLES[status], detail, next_step)

    @property
    def advice(self) -> str:
        """Detail and next step as one text."""
        return f"{self.detail} {self.next_step}"


class HasProblem:
    """Something about a problem, which answers for it."""

    __slots__ = ()

    problem: Problem

    @property
    def code(self) -> str:
        """The code that stays the same."""
        return self.problem.code

    @property
    def detail(self) -> str:
        """A sentence with the particulars."""
        return self.problem.detail

    @property
    def next_step(self) -> str:
        """What to do next."""
        return self.problem.next_step
