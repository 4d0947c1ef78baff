"""What is wrong with an installation, as its own API tells it and as it looks from here."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from sluice.connection import Connection
from sluice.problems import Unreachable

CLOCKS_DIFFER_SECONDS = 30.0
"""Clocks this far apart put outcomes that are sent with a time of here beside the requests that they follow."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: of what, since when if that is known, and what to do next."""

    about: str
    code: str
    detail: str
    next_step: str
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the installation that was looked at, and what is wrong with it."""

    name: str
    findings: tuple[Finding, ...]


def examine(connection: Connection, now: Callable[[], datetime]) -> tuple[Part, ...]:
    """All parts. Raises `Unreachable` where nobody answers, and `Refused` for a token that may not look."""
    answer = connection.call("GET", "")
    clock = _clock(answer.headers.get("date", ""), now())
    return (
        Part("web app", tuple(clock)),
        Part("edges, publishing and workers", (*_no_edge(connection), *_alerts(connection))),
        Part("data", tuple(_data(connection))),
    )


def _clock(told: str, now: datetime) -> Iterator[Finding]:
    try:
        ahead = (now - parsedate_to_datetime(told).astimezone(UTC)).total_seconds()
    except ValueError:
        return
    if abs(ahead) > CLOCKS_DIFFER_SECONDS:
        way = "ahead of" if ahead > 0 else "behind"
        yield Finding(
            "clock",
            "clocks-differ",
            f"The clock of this machine is {abs(ahead):.0f} s {way} the server's.",
            "Let both follow a time server; outcomes that are sent with a time of here are placed by it.",
        )


def _no_edge(connection: Connection) -> Iterator[Finding]:
    if not connection.call("GET", "edges", query={"limit": 1}).content["results"]:
        detail = "No edge has reported, so that no user's request goes through Sluice."
        yield Finding("edges", "no-edge", detail, "Start one; docs/edges.md says how.")


def _alerts(connection: Connection) -> Iterable[Finding]:
    return map(_alert, connection.call("GET", "alerts").content)


def _alert(told: Mapping[str, Any]) -> Finding:
    about = f"edge {told['edge']}" if told["edge"] else "installation"
    return Finding(about, told["code"], told["detail"], told["next_step"], told["since"])


def _data(connection: Connection) -> Iterator[Finding]:
    """What is wrong with the data; that this cannot be told while Redis is away is a finding itself."""
    try:
        told = connection.call("GET", "data-health").content["problems"]
    except Unreachable as error:
        yield Finding("data", error.code, error.detail, error.next_step)
        return
    for each in told:
        yield Finding(each["about"], each["code"], each["detail"], each["next_step"])
