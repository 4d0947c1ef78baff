"""How much one request may hold. Whoever reads requests keeps to these: the front, the parsers, Django."""

from controlplane.problems.errors import TooLarge

LARGEST_BODY = 2_621_440
"""Bytes: 2.5 MiB."""

LARGEST_BATCH = 10_485_760
"""Bytes of a batch of outcomes once it is uncompressed: 10 MiB."""

DEEPEST = 64
"""Lists and objects within each other."""

MOST_ENTRIES = 1000
"""Of one list or object; a batch of outcomes may be longer."""

MOST_VALUES = 100_000
"""Of all lists and objects together."""


def too_large(most: int = LARGEST_BODY) -> TooLarge:
    """What is said of a body beyond so many bytes."""
    return TooLarge(
        "request-too-large",
        f"The body has more than {most} bytes.",
        next_step=f"Send at most {most} bytes, or several requests.",
    )
