"""How much one request may hold. Whoever reads requests keeps to these: the front, the parsers, Django."""

from controlplane.problems.errors import TooLarge

LARGEST_BODY = 2_621_440
"""Bytes: 2.5 MiB."""

DEEPEST = 64
"""Lists and objects within each other."""

MOST_ENTRIES = 1000
"""Of one list or object: as many as there are outcomes in a batch at most."""

MOST_VALUES = 100_000
"""Of all lists and objects together."""


def too_large() -> TooLarge:
    """What is said of a body beyond `LARGEST_BODY`."""
    return TooLarge(
        "request-too-large",
        f"The body has more than {LARGEST_BODY} bytes.",
        next_step=f"Send at most {LARGEST_BODY} bytes, or several requests.",
    )
