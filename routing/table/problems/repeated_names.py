"""Checks of names, which all parts of a table have."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from controlplane.problems.problem import Problem

RESERVED_HEADERS = ("x-sluice-", "x-envoy-")
"""How headers begin that an edge alone sets."""

_KEY = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def key_problems(what: str, key: str) -> Iterator[Problem]:
    """A key that links, logs or Envoy could not hold."""
    if not _KEY.fullmatch(key):
        detail = f"{key!r} cannot be the key of a {what}."
        next_step = "Use at most 63 lower-case letters, digits and inner hyphens, like `chat-v2`."
        yield Problem("key-invalid", "Bad key", detail, next_step)


def repeated(what: str, names: Iterable[str]) -> Iterator[Problem]:
    """Names that appear more than once."""
    for name, count in Counter(names).items():
        if count > 1:
            yield Problem(
                f"{what.replace(' ', '-')}-duplicate",
                f"Repeated {what}",
                f"The {what} {name} appears {count} times.",
                "Give each a name of its own.",
            )


def unknown_backend(backends: Collection[str], backend: str, owner: str) -> Iterator[Problem]:
    """A backend that the table does not have."""
    if backend not in backends:
        detail = f"{owner} names the backend {backend}, which the table does not have."
        yield Problem("backend-unknown", "Unknown backend", detail, "Register or restore the backend, or name another.")
