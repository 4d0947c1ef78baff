"""Conditions on a request's headers, as people write them: `x-country is DE, FR`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Operator(StrEnum):
    """How a header is compared; `is` and `is not` take several values."""

    IS = "is"
    IS_NOT = "is not"
    STARTS_WITH = "starts with"
    CONTAINS = "contains"
    PRESENT = "is present"
    ABSENT = "is absent"


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of one header with some values; the values are alternatives.

    A header that is absent meets `is not` and `is absent` alone.
    """

    header: str
    operator: Operator
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.header} {self.operator} {', '.join(self.values)}".rstrip()


WITHOUT_VALUES = (Operator.PRESENT, Operator.ABSENT)

# Longer operators first, so that `is not` is not read as `is` with the value `not …`.
_OPERATORS = "|".join(sorted(Operator, key=len, reverse=True))
_CONDITION = re.compile(rf"(?P<header>[A-Za-z0-9_.-]+)\s+(?P<operator>{_OPERATORS})(?:\s+(?P<values>.+))?")


def parse_condition(text: str) -> Condition:
    """Read one condition.

    Raises:
        ValueError: the text is none; the message says what one looks like.

    >>> parse_condition("x-country is DE, FR").values
    ('DE', 'FR')
    """
    found = _CONDITION.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a condition. Write it like `x-country is DE, FR` or `x-beta is present`.")
    operator = Operator(found["operator"])
    values = tuple(value.strip() for value in (found["values"] or "").split(",") if value.strip())
    if bool(values) == (operator in WITHOUT_VALUES):
        wants = "no value" if values else "a value"
        raise ValueError(f"{text!r} needs {wants} after `{operator}`.")
    return Condition(found["header"].lower(), operator, values)


def meets(condition: Condition, headers: Mapping[str, str]) -> bool:
    """Whether headers, by their names in lower case, meet a condition; as the edge compares them."""
    value = headers.get(condition.header)
    match condition.operator:
        case Operator.PRESENT:
            return value is not None
        case Operator.ABSENT:
            return value is None
        case Operator.IS:
            return value in condition.values
        case Operator.IS_NOT:
            return value not in condition.values
        case Operator.STARTS_WITH:
            return value is not None and value.startswith(condition.values)
        case Operator.CONTAINS:
            return value is not None and any(part in value for part in condition.values)


def apart(one: Condition, other: Condition) -> bool:
    """Whether no request meets both, as far as that can be told: False may mean that none does all the same.

    >>> apart(parse_condition("x-country is DE"), parse_condition("x-country is not DE, FR"))
    True
    """
    if one.header != other.header:
        return False
    for first, second in ((one, other), (other, one)):
        if first.operator is Operator.IS:
            return not any(meets(second, {first.header: value}) for value in first.values)
        if first.operator is Operator.ABSENT:
            return not meets(second, {})
    return False
