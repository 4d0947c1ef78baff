"""From the database to a table that edges can serve, whatever the database holds."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from routing import table
from routing.models import RoutingTable
from routing.publishing.envoy_validation import refusal
from routing.publishing.wanted_table import ended, wanted_table
from routing.table import Brake, Hindrance, Table, apply_brakes, assemble

NO_TABLE = Table(version=0, endpoints=(), backends=())


@dataclass(frozen=True, slots=True)
class Compiled:
    """A table of version 0 that edges can serve, its digest, and what it could not be made from."""

    table: Table
    digest: str
    hindrances: tuple[Hindrance, ...]


def compile_table(newest: RoutingTable | None, brakes: Collection[Brake] = ()) -> Compiled:
    """What the database asks for, without what `brakes` take out; what is broken is as in the newest table.

    Raises `DatabaseError` when the database does not answer.
    """
    wanted = wanted_table(brakes)
    digest = table.digest(wanted.table)
    if newest and newest.digest == digest and not wanted.hindrances:
        return Compiled(wanted.table, digest, ())
    unreadable = [hindrance.subject for hindrance in wanted.hindrances]
    compiled, found = assemble(wanted.table, _last(newest, brakes), refusal, unreadable=unreadable)
    return Compiled(compiled, table.digest(compiled), (*wanted.hindrances, *found))


def _last(newest: RoutingTable | None, brakes: Collection[Brake]) -> Callable[[], Table]:
    """The newest table, without what was taken out since; read only where it is needed."""

    def read() -> Table:
        last = table.from_json(newest.content) if newest else NO_TABLE
        return apply_brakes(last, [*ended(last), *brakes])

    return read
