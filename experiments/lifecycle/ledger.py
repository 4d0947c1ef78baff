"""The chain of decisions: each entry's hash covers its content and the hash before it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any


def entry_hash(content: Mapping[str, Any], previous_hash: str) -> str:
    """SHA-256, hexadecimal, over the canonical JSON of `content` and the previous hash."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{previous_hash}\n{text}".encode()).hexdigest()


def first_broken_link(entries: Sequence[tuple[Mapping[str, Any], str, str]]) -> int | None:
    """Index of the first entry whose hash does not hold; None when the chain is whole.

    `entries` are (content, previous hash, hash), oldest first.
    """
    expected_previous = ""
    for index, (content, previous_hash, stored) in enumerate(entries):
        if previous_hash != expected_previous or entry_hash(content, previous_hash) != stored:
            return index
        expected_previous = stored
    return None
