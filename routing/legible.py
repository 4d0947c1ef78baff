"""What makes no sense of rows, in words: pages and the API show such a row, and all others as ever."""

from routing.models import Backend, Endpoint, Issuer
from routing.wanted import problem_of


def what_is_broken(row: Backend | Issuer | Endpoint) -> str:
    """Why edges cannot be told of a row, and what to do; empty for a sound one. Raises `DatabaseError`."""
    problem = problem_of(row)
    return f"Broken: {problem.detail}. {problem.next_step}" if problem else ""
