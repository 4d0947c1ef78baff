"""Which requests outside of all experiments become rows, where an endpoint keeps only a share of them.

A user is kept whole or not at all, by the keyed hash that stands for the user, so that what is kept tells of users as
all of it would; a request without a user is kept by its own id.
"""

from collections.abc import Mapping
from typing import Any
from zlib import crc32

from routing.access_log.line import Facts
from routing.table import BasisPoints

PARTS = 10_000


def kept_share(facts: Facts) -> float | None:
    """The share that is kept of requests like this one, from 0 to 1; None where all are.

    What an experiment measures, or copies to a candidate, and what the holdout compares with is kept whole.
    """
    if facts.kept is None or facts.experiment is not None or facts.held_out or facts.shadow:
        return None
    return BasisPoints(facts.kept).share


def is_kept(row: Mapping[str, Any]) -> bool:
    """Whether a row goes into the lake."""
    share = row["kept_share"]
    if share is None:
        return True
    number = row["unit"] if row["unit"] is not None else crc32(row["request_id"].encode())
    return bool(number % PARTS < share * PARTS)
