"""The calls that a pipeline makes."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

from sluice.connection import SECONDS, Answer, Connection
from sluice.edges import Edges, read_edges
from sluice.examination import Part, examine
from sluice.experiment import Experiment, read_experiment
from sluice.gate import Gate, read_gate
from sluice.imports import Told, import_file, unheard
from sluice.lists import pieces
from sluice.problems import Unreachable, WrongUse
from sluice.results import MetricLine, read_lines
from sluice.specs import Changes, applied, export, planned, read_changes, refresh

LONGEST_WAIT_SECONDS = 55
"""Sluice lets one request wait for so long."""

FORECAST_SECONDS = 120.0
_RECORDED_LATER = 202
_KEY = re.compile(r"[A-Za-z0-9-]+")

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Done:
    """What was done to an experiment, in a sentence; `experiment` is None where the database hears of it later.

    `edges` says which have confirmed it by then, None where the verb does not wait for that.
    """

    sentence: str
    experiment: Experiment | None
    edges: Edges | None = None


class Client:
    """Sluice's API. Leaving its block closes the connections; processes that fork may share one.

    Each call raises `Refused` when Sluice says no, and `Unreachable` when it does not answer.
    """

    def __init__(self, url: str, token: str) -> None:
        """Take the address of the web app and a token. Raises `WrongUse` for what is neither."""
        self._connection = Connection(url, token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @property
    def url(self) -> str:
        """Where Sluice is."""
        return self._connection.url

    def check(self) -> None:
        """Nothing, where Sluice answers and knows the token."""
        self._connection.call("GET", "")

    def examine(self) -> tuple[Part, ...]:
        """The parts of the installation, each with what is wrong with it."""
        return _understood(lambda: examine(self._connection, lambda: datetime.now(UTC)))

    def experiments(self) -> Iterator[Experiment]:
        """All experiments, the newest first."""
        for content in pieces(self._connection, "experiments"):
            yield from _understood(lambda: [read_experiment(each) for each in content["results"]])  # noqa: B023

    def gate(self, key: str, *, wait: int = 0, seconds: float = SECONDS) -> Gate:
        """Whether it is decided. Waits so many seconds for that, 55 at the most, and `seconds` more for the answer."""
        path, query = f"{_path(key)}/gate", {"wait": min(wait, LONGEST_WAIT_SECONDS)}
        answer = self._connection.call("GET", path, query=query, seconds=wait + seconds)
        return _understood(lambda: read_gate(answer.content, answer.headers))

    def results(self, key: str) -> tuple[MetricLine, ...]:
        """What the newest analysis found; nothing before the first."""
        answer = self._connection.call("GET", f"{_path(key)}/analyses", query={"limit": 1})
        return _understood(lambda: read_lines(answer.content))

    def start(self, key: str, *, reason: str = "") -> Done:
        """Freeze the plan and start."""
        return self._act(key, "start", {"reason": reason})

    def halt(self, key: str, *, reason: str) -> Done:
        """Give all users what they have by default."""
        return self._act(key, "halt", {"reason": reason})

    def promote(self, key: str, *, reason: str, variant: str = "", everybody: bool = False) -> Done:
        """Make a candidate the default of the experiment's audience, or of everybody."""
        return self._act(key, "promote", {"reason": reason, "variant": variant, "everybody": everybody})

    def forecast(self, key: str, stated: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a plan needs and promises, where the stated values count more than history."""
        path = f"{_path(key)}/forecast"
        content: Mapping[str, Any] = self._connection.call("POST", path, body=stated, seconds=FORECAST_SECONDS).content
        return content

    def plan(self, content: bytes) -> Changes:
        """What applying a file of specs would change. Raises `Refused` with the line and column of each problem."""
        sent = planned(self._connection, content)
        return _understood(lambda: read_changes(sent))

    def apply(self, content: bytes) -> Changes:
        """Bring what there is in line with a file of specs. Raises as `plan` does; then nothing is changed."""
        sent = applied(self._connection, content)
        return _understood(lambda: read_changes(sent))

    def export(self, *only: str) -> str:
        """What there is as YAML; with `only`, kinds like `metrics` or things like `experiments/canary`."""
        return export(self._connection, only)

    def refresh(self, content: bytes) -> str:
        """A file of specs brought up to what there is; its comments stay."""
        return refresh(self._connection, content)

    def import_events(self, file: Path, told: Told = unheard) -> Mapping[str, Any]:
        """Send a file of outcomes and wait until its rows are in; `told` hears how far it is. Raises `OSError`.

        A part whose answer was lost is sent again, for about a minute.
        """
        return import_file(self._connection, file, told)

    def _act(self, key: str, verb: str, body: Mapping[str, object]) -> Done:
        answer = self._connection.write(f"{_path(key)}/{verb}", body=body)
        return _understood(lambda: _done(answer))


def _done(answer: Answer) -> Done:
    if answer.status == _RECORDED_LATER:
        return Done(f"{answer.content['detail']} {answer.content['next_step']}", None)
    experiment, edges = read_experiment(answer.content), read_edges(answer.content)
    return Done(f"{experiment.sentence} {edges.sentence if edges else ''}".rstrip(), experiment, edges)


def _path(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise WrongUse("key-unusable", f"{key!r} is no key of an experiment.", "`sluice status` lists them.")
    return f"experiments/{key}"


def _understood(read: Callable[[], Found]) -> Found:
    """What an answer says. Raises `Unreachable` for one that is of another release, or of something else."""
    try:
        return read()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unreachable(
            "answer-unknown",
            "Sluice's answer is none that this client knows.",
            "Bring the client to the server's release.",
        ) from error
