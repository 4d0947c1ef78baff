"""Which edges have confirmed what was done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Edges:
    """The routing table that edges were told, the names of those that serve it, and of those that do not say so yet."""

    table: int
    confirmed: tuple[str, ...]
    unconfirmed: tuple[str, ...]
    sentence: str


def read_edges(content: Mapping[str, Any]) -> Edges | None:
    """What an answer says of them; None where it says nothing. Raises `KeyError` and `TypeError` for what is none."""
    told = content.get("edges")
    if told is None:
        return None
    return Edges(told["table"], tuple(told["confirmed"]), tuple(told["unconfirmed"]), told["detail"])
