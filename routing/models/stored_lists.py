"""Shapes of the lists that backends, endpoints and splits keep as JSON; each check says what is wrong in a sentence."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter
from pydantic import ValidationError as ShapeError

from routing.table import (
    LARGEST_BODY,
    NETWORKS_LIKE,
    Condition,
    Parameters,
    RateLimitScope,
    may_set_header,
    may_set_query,
    network_problem,
    parse_condition,
)


def _parsable(text: str) -> str:
    parse_condition(text)
    return text


def _network(text: str) -> str:
    wrong = network_problem(text)
    if wrong:
        raise ValueError(f"{wrong}. {NETWORKS_LIKE}")
    return text


_ENTRY = re.compile(r"entry \d+")

MOST_TEXTS = 200
LONGEST_TEXT = 500
MOST_CONDITIONS = 100
LONGEST_CONDITION = 5000
MOST_TIERS = 20


def _headers(values: dict[str, str]) -> dict[str, str]:
    return _settable(values, may_set_header, "header")


def _query(values: dict[str, str]) -> dict[str, str]:
    return _settable(values, may_set_query, "query parameter")


def _settable(values: dict[str, str], may_set: Callable[[str, str], bool], what: str) -> dict[str, str]:
    for name, value in values.items():
        if not may_set(name, value):
            wanted = f"Name a {what} that the backend reads, and a value of printable characters."
            raise ValueError(f"The {what} {name!r} cannot be set so. {wanted}")
    return values


Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
ConditionText = Annotated[str, Field(max_length=LONGEST_CONDITION), AfterValidator(_parsable)]
Conditions = Annotated[list[ConditionText], Field(max_length=MOST_CONDITIONS)]
Headers = Annotated[dict[str, str], AfterValidator(_headers)]
Query = Annotated[dict[str, str], AfterValidator(_query)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TierShape(_Shape):
    """Requests that another backend answers: those that meet all conditions and have at most so many bytes."""

    key: Text
    backend: Text = Field(description="Key of the backend that answers these requests.")
    conditions: Conditions = Field([], description="Conditions on headers, like `x-priority is low`.")
    longest_bytes: int = Field(
        0, ge=0, le=LARGEST_BODY, description="The longest body of such a request; 0 for any length."
    )


class RuleShape(_Shape):
    """What requests that meet all conditions get while no experiment takes them."""

    key: Text
    conditions: Conditions = Field(description="Conditions on headers, like `x-country is DE, FR`.")
    backend: Text = Field(description="Key of the backend that answers these requests.")
    headers: Headers = Field({}, description="Headers that they get, by name.")
    query: Query = Field({}, description="Query parameters that they get, by name.")


class ShadowShape(_Shape):
    """A candidate that gets copies of requests, and whose answers nobody sees."""

    name: Text = Field(description="Name of the experiment that its requests are logged as.")
    backend: Text = Field(description="Key of the backend that gets the copies.")
    percent: float = Field(gt=0, le=100, description="Share of the requests that are copied.")


class RateLimitShape(_Shape):
    """At most so many requests in so many seconds, counted for the endpoint, each client or each unit."""

    requests: int = Field(ge=1, le=1_000_000_000)
    seconds: int = Field(ge=1, le=86_400)
    per: RateLimitScope = Field(RateLimitScope.ENDPOINT, description="Whose requests are counted together.")


_TEXTS = TypeAdapter(Annotated[list[Text], Field(max_length=MOST_TEXTS)])
_RATE_LIMITS = TypeAdapter(Annotated[list[RateLimitShape], Field(max_length=len(RateLimitScope))])
_NETWORKS = TypeAdapter(Annotated[list[Annotated[Text, AfterValidator(_network)]], Field(max_length=MOST_TEXTS)])
_CONDITIONS = TypeAdapter(Conditions)
_HEADERS = TypeAdapter(Headers)
_QUERY = TypeAdapter(Query)
_RULES = TypeAdapter(list[RuleShape])
_TIERS = TypeAdapter(Annotated[list[TierShape], Field(max_length=MOST_TIERS)])
_SHADOWS = TypeAdapter(Annotated[list[ShadowShape], Field(max_length=MOST_TIERS)])


class ArmShape(_Shape):
    """An arm of a running experiment, and the buckets that are its own."""

    variant: str
    backend: str
    start: int
    end: int
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    guard_round: int = 0


class GuardShape(_Shape):
    """When an edge ejects a candidate."""

    requests: int = 20
    failing_share: float = 0.5
    window_seconds: float = 5.0
    first_byte_ms: float = 0.0


STORED_TEXTS: TypeAdapter[Any] = TypeAdapter(list[str])
STORED_CONDITIONS: TypeAdapter[Any] = TypeAdapter(list[Annotated[str, AfterValidator(_parsable)]])
STORED_PAIRS: TypeAdapter[Any] = TypeAdapter(dict[str, str])
STORED_ARMS: TypeAdapter[Any] = TypeAdapter(list[ArmShape])
STORED_GUARD: TypeAdapter[Any] = TypeAdapter(GuardShape)
STORED_RULES: TypeAdapter[Any] = TypeAdapter(list[RuleShape])
STORED_TIERS: TypeAdapter[Any] = TypeAdapter(list[TierShape])
STORED_SHADOWS: TypeAdapter[Any] = TypeAdapter(list[ShadowShape])
STORED_RATE_LIMITS: TypeAdapter[Any] = TypeAdapter(list[RateLimitShape])
"""What columns hold; how many there may be, and how long, is for those who write them."""


def check_texts(value: object) -> None:
    """Refuse what is no list of texts. Raises Django's `ValidationError`."""
    _check(_TEXTS, value)


def check_networks(value: object) -> None:
    """Refuse what is no list of networks. Raises Django's `ValidationError`."""
    _check(_NETWORKS, value)


def check_conditions(value: object) -> None:
    """Refuse what is no list of conditions. Raises Django's `ValidationError`."""
    _check(_CONDITIONS, value)


def check_headers(value: object) -> None:
    """Refuse what are no headers that an edge may set. Raises Django's `ValidationError`."""
    _check(_HEADERS, value)


def check_query(value: object) -> None:
    """Refuse what are no query parameters that an edge may set. Raises Django's `ValidationError`."""
    _check(_QUERY, value)


def check_rules(value: object) -> None:
    """Refuse what is no list of rules. Raises Django's `ValidationError`."""
    _check(_RULES, value)


def check_tiers(value: object) -> None:
    """Refuse what is no list of tiers. Raises Django's `ValidationError`."""
    _check(_TIERS, value)


def check_shadows(value: object) -> None:
    """Refuse what is no list of shadows. Raises Django's `ValidationError`."""
    _check(_SHADOWS, value)


def check_rate_limits(value: object) -> None:
    """Refuse what is no list of rate limits. Raises Django's `ValidationError`."""
    _check(_RATE_LIMITS, value)


def rate_limits(value: list[dict[str, Any]]) -> list[RateLimitShape]:
    """Checked rate limits."""
    return _RATE_LIMITS.validate_python(value)


def conditions(texts: list[str]) -> tuple[Condition, ...]:
    """Checked texts as conditions."""
    return tuple(map(parse_condition, texts))


def rules(value: list[dict[str, Any]]) -> list[RuleShape]:
    """Checked rules."""
    return _RULES.validate_python(value)


def parameters(headers: Mapping[str, str], query: Mapping[str, str]) -> Parameters:
    """Checked headers and query parameters as the table has them."""
    return Parameters(tuple(headers.items()), tuple(query.items()))


def tiers(value: list[dict[str, Any]]) -> list[TierShape]:
    """Checked tiers."""
    return _TIERS.validate_python(value)


def shadows(value: list[dict[str, Any]]) -> list[ShadowShape]:
    """Checked shadows."""
    return _SHADOWS.validate_python(value)


def _check(shape: TypeAdapter[Any], value: object) -> None:
    try:
        shape.validate_json(json.dumps(value), strict=True)
    except ShapeError as error:
        raise ValidationError([_sentence(problem["loc"], problem["msg"]) for problem in error.errors()]) from None


def _sentence(place: tuple[int | str, ...], message: str) -> str:
    where = " of ".join(f"entry {part + 1}" if isinstance(part, int) else part for part in reversed(place))
    return f"{where}: {message.removeprefix('Value error, ')}" if where else message


def place_told(sentence: str) -> tuple[int | str, ...]:
    """The place that a sentence of these checks begins with; none where it is about the whole.

    >>> place_told("conditions of entry 2: Input should be a valid array")
    (1, 'conditions')
    """
    where, colon, _ = sentence.partition(": ")
    parts = where.split(" of ")
    if not colon or not any(_ENTRY.fullmatch(part) for part in parts):
        return ()
    return tuple(int(part.split()[1]) - 1 if _ENTRY.fullmatch(part) else part for part in reversed(parts))
