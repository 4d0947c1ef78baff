"""From what is wanted to what can be served: a part that is broken stays as it was, and keeps no other back."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from controlplane.problems.problem import HasProblem, Problem
from routing.table.access import Issuer
from routing.table.problems import problems
from routing.table.reach import named_by
from routing.table.types import Backend, Endpoint, Table

Part = Backend | Issuer | Endpoint
Named = TypeVar("Named", Backend, Issuer, Endpoint)
Refusal = Callable[[Table], str]
"""Why Envoy would not take a table without problems; empty when it would."""


@dataclass(frozen=True, slots=True)
class Hindrance(HasProblem):
    """A part that is not published as it is wanted, like `endpoint chat`, or the whole `table`, and why."""

    subject: str
    problem: Problem


def subject_of(kind: type[Part], key: str) -> str:
    """How a part is called: `endpoint chat`."""
    return f"{kind.__name__.lower()} {key}"


def assemble(
    wanted: Table, last: Callable[[], Table], refusal: Refusal, *, unreadable: Collection[str] = ()
) -> tuple[Table, tuple[Hindrance, ...]]:
    """The wanted table, in which each part that edges could not serve is as in the last one.

    `unreadable` are the subjects of parts of which nobody can tell how they are wanted. What an endpoint of the last
    table names stays with it; a part that the last table does not have is left out. What is wrong with no part alone
    leaves all as it was. Assumes that the last table has no problems, and that Envoy took it.
    """
    if not unreadable and _fault(wanted, refusal) is None:
        return wanted, ()
    before = last()
    there = {*map(_subject, _parts(wanted)), *unreadable}
    kept = replace(before, version=wanted.version, endpoints=_there(before.endpoints, there))
    table, hindrances = kept, []
    unchanged = set(_parts(before))
    for part in _parts(wanted):
        # Asking Envoy is slow, and what stays as it is it took before.
        problem = _fault_with(part, table, there, _nothing_refused if part in unchanged else refusal)
        if problem is None:
            table = _with(table, part)
        else:
            hindrances.append(Hindrance(_subject(part), problem))
    table = _pruned(table, there)
    whole = _fault(table, refusal)
    if whole is not None:
        return _pruned(kept, there), (*hindrances, Hindrance("table", whole))
    return table, tuple(hindrances)


def _parts(table: Table) -> Iterator[Part]:
    """All parts; what others name comes first."""
    yield from sorted(table.backends, key=lambda backend: backend.fallback is not None)
    yield from table.issuers
    yield from table.endpoints


def _subject(part: Part) -> str:
    return subject_of(type(part), part.key)


def _there(parts: Iterable[Named], subjects: Collection[str]) -> tuple[Named, ...]:
    return tuple(part for part in parts if _subject(part) in subjects)


def _fault_with(part: Part, table: Table, there: Collection[str], refusal: Refusal) -> Problem | None:
    """What is wrong with a part beside what it names, of which all has to be there, and beside all others."""
    backends, issuers = _there(table.backends, there), _there(table.issuers, there)
    alone = _with(replace(table, backends=backends, issuers=issuers, endpoints=()), part)
    return _fault(alone, _nothing_refused) or _fault(_with(table, part), refusal)


def _fault(table: Table, refusal: Refusal) -> Problem | None:
    found = problems(table)
    if found:
        return found[0]
    reason = refusal(table)
    detail = f"Envoy would not take this table: {reason}"
    return Problem("table-refused-by-envoy", "Refused by Envoy", detail, "Change what it names.") if reason else None


def _nothing_refused(_: Table) -> str:
    return ""


def _with(table: Table, part: Part) -> Table:
    """The table with this part in place of the one with its key."""
    if isinstance(part, Backend):
        return replace(table, backends=_put(table.backends, part))
    if isinstance(part, Issuer):
        return replace(table, issuers=_put(table.issuers, part))
    return replace(table, endpoints=_put(table.endpoints, part))


def _put(parts: tuple[Named, ...], part: Named) -> tuple[Named, ...]:
    by_key = {other.key: other for other in parts} | {part.key: part}
    return tuple(by_key[key] for key in sorted(by_key))


def _pruned(table: Table, there: Collection[str]) -> Table:
    """The table without backends and issuers that are gone and that none of its endpoints names."""
    named = {subject for endpoint in table.endpoints for subject in _named(endpoint)}
    needed = {*there, *named}
    fallbacks = {
        subject_of(Backend, backend.fallback) for backend in _there(table.backends, needed) if backend.fallback
    }
    return replace(
        table,
        backends=_there(table.backends, needed | fallbacks),
        issuers=_there(table.issuers, needed),
    )


def _named(endpoint: Endpoint) -> Iterator[str]:
    """The backends and the issuer that an endpoint names."""
    yield from (subject_of(Backend, key) for key in named_by(endpoint))
    if endpoint.access is not None and endpoint.access.issuer is not None:
        yield subject_of(Issuer, endpoint.access.issuer)
