"""A line of the access log. What backends and clients wrote into it is taken as it comes: none of it breaks a line."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, TypeAdapter, ValidationError

from routing.protocols import PROTOCOLS, Protocol, Shape

# Envoy writes the fields in alphabetical order; a spool may hold lines of the release before, which had no `accepted`.
_LINE_STARTS = (b'{"accepted":', b'{"answered_by":')

# What is worked out of a text once for many lines. Who asks and who answers choose it, so that the rarest is forgotten.
KEPT_SHAPES = 4_096
KEPT_WORDS = 256

STREAM = "text/event-stream"
JSON = "application/json"
PAGES = ("text/html", "application/xhtml+xml")

NO_UNIT = "\x7f"
"""What stands in a unit's place where there was one that cannot be told from others."""


class BrokenLineError(ValueError):
    """What is no whole line of the access log."""


def _named(told: object) -> object:
    """Names and values of a text, which has each on a line of its own; None where Envoy had nothing to write."""
    if not isinstance(told, str):
        return told
    lines = told.strip(" ").split("\n")
    return None if lines == ["-"] else dict(zip(lines[::2], lines[1::2], strict=False))


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read of an answer, as it stood there.

    `holds` are the paths where it has something, with a `!` those of which one holds nothing that has to, `whole` says
    whether it is JSON from end to end, `ends` are the marks of a stream's end, `stop` is why the model stopped, `odd`
    are the forms of which some event was none, `refused` says whether it did so in words of its own, `cut` whether the
    arguments of a call are no JSON to their end, and the tokens are text.

    Of what is no JSON `looks` says what that looks like: an `answer`, a `document`, the name of a `state` that a server
    failed by, or `nothing`. Of a call of gRPC `holds` tells whether there is a message, any content in one and their
    first tags, and `status` what the trailers within the body say.
    """

    holds: Any = None
    whole: Any = None
    ends: Any = None
    odd: Any = None
    error: Any = None
    stop: Any = None
    refused: Any = None
    looks: Any = None
    status: Any = None
    cut: Any = None
    prompt_tokens: Any = None
    completion_tokens: Any = None
    cache_write_tokens: Any = None
    cache_read_tokens: Any = None
    total_tokens: Any = None

    def names(self, of: Literal["holds", "ends", "odd"]) -> frozenset[str]:
        """What was found of these, each by its name."""
        return frozenset(str(getattr(self, of) or "").split())


@dataclass(frozen=True, slots=True)
class Facts:
    """What the route said of a request, and what was read of its answer's body and headers.

    `kept` is the share in 1/10 000 of such requests that the lake keeps outside of experiments; None is all.
    """

    endpoint: str
    backend: str
    table_version: int
    forced: bool
    unit_source: str = ""
    shadow: bool = False
    held_out: bool = False
    kept: int | None = None
    tier: str | None = None
    experiment: str | None = None
    variant: str | None = None
    stage: int | None = None
    client: str | None = None
    without_unit: str | None = None
    answer: Annotated[Answer | None, BeforeValidator(_named)] = None
    asked: Any = None
    prompt_tokens: Any = None
    completion_tokens: Any = None
    queue_ms: Any = None


@dataclass(frozen=True, slots=True)
class Answerer:
    """Which backend answered, what it speaks, and its prices of a million tokens."""

    backend: str
    prompt_price: float
    completion_price: float
    protocol: str = "http"


@dataclass(frozen=True, slots=True)
class LogLine:
    """One request; times in the units that their names say. A status of 0 is none. `grpc_status` is the trailers'; the
    headers have one, `grpc_head_status`, where nothing else is answered. `run` tells one run of Envoy from the next.
    """

    time: str
    request_id: str
    unit: str | None
    status: int
    flags: str
    duration_ms: float
    duration_us: float | None
    ttft_us: float | None
    facts: Facts
    answered_by: Annotated[Answerer | None, BeforeValidator(_named)] = None
    attempts: int = 0
    method: str | None = None
    path: str | None = None
    sent_type: str | None = None
    accepted: str | None = None
    condition: str | None = None
    kind: str | None = None
    encoding: str | None = None
    body_bytes: int = 0
    grpc_status: Any = None
    grpc_head_status: str | None = None
    run: str = ""

    @property
    def media_type(self) -> str:
        """What the answer calls itself; JSON where it does not."""
        return _media_type(self.kind)

    @property
    def is_page(self) -> bool:
        """Whether the answer is a page for people."""
        return self.media_type.startswith(PAGES)

    @property
    def wants_no_page(self) -> bool:
        """Whether the request asked for JSON, by what it accepts or else by what it is itself, and for no page."""
        accepted = (self.accepted or "").lower()
        asks = "json" in accepted or "json" in (self.sent_type or "").lower()
        return asks and not any(kind in accepted for kind in (*PAGES, "text/*"))

    @property
    def is_stream(self) -> bool:
        """Whether the answer is a stream of events."""
        return self.media_type.startswith(STREAM)

    @property
    def asked_for_stream(self) -> bool | None:
        """Whether the request asked for a stream; None where that was not read."""
        return self.facts.asked if isinstance(self.facts.asked, bool) else None

    @property
    def flag_set(self) -> frozenset[str]:
        """Envoy's response flags, each by itself; a dash where there are none."""
        return _flags(self.flags)

    @property
    def has_unit(self) -> bool:
        """Whether the request has a unit that can be told from others."""
        return bool(self.unit) and self.unit != NO_UNIT

    @property
    def is_readable(self) -> bool:
        """Whether the body of the answer was not compressed."""
        return (self.encoding or "identity").lower() == "identity"

    @property
    def protocol_of_backend(self) -> Protocol | None:
        """What who answered speaks, where this release knows it."""
        return PROTOCOLS.get(self.answered_by.protocol) if self.answered_by else None

    @property
    def shape(self) -> Shape | None:
        """What an answer to this request is, where the protocol of who answered says so."""
        who = self.answered_by if self.method == "POST" else None
        return _shape(who.protocol, self.path or "") if who else None

    def ended_at(self) -> float:
        """When the answer ended, in seconds since the epoch."""
        return datetime.fromisoformat(self.time).timestamp() + self.duration_ms / 1000


@lru_cache(KEPT_WORDS)
def _media_type(kind: str | None) -> str:
    return (kind or JSON).strip().lower()


@lru_cache(KEPT_WORDS)
def _flags(text: str) -> frozenset[str]:
    return frozenset(text.split(","))


@lru_cache(KEPT_SHAPES)
def _shape(protocol: str, path: str) -> Shape | None:
    known = PROTOCOLS.get(protocol)
    return known.shape_of(path) if known else None


_LINE = TypeAdapter(LogLine)


def read_line(line: bytes) -> LogLine:
    """Read a line; what stands before its last beginning is of an Envoy that was killed while it wrote.

    Raises:
        BrokenLineError: this is not a whole line of the access log.

    """
    last_start = max(map(line.rfind, _LINE_STARTS))
    try:
        return _LINE.validate_json(line[max(last_start, 0) :])
    except ValidationError as error:
        places = ", ".join(".".join(map(str, problem["loc"])) or "line" for problem in error.errors())
        raise BrokenLineError(places) from None
