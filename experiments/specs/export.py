"""What there is as a file: all of it, or what is asked for."""

from collections.abc import Collection
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from controlplane.problems.errors import FieldProblem, InvalidInput, Missing
from experiments.specs.kinds import Content, Kind, kinds

WIDTH = 120
INDENTATION = 2
"""Of the entries of a list."""


def exported(only: Collection[str] = ()) -> dict[str, list[Content]]:
    """Things by kind, each with every field; with `only`, those of kinds like `metrics` or `experiments/canary`.

    Raises `InvalidInput` for what names no kind, and `Missing`.
    """
    names = [name.partition("/") for name in only] or [(kind, "", "") for kind in kinds()]
    found: dict[str, list[Content]] = {}
    for plural, _, key in names:
        found.setdefault(plural, []).extend(_shown(_kind(plural), key))
    return {plural: found[plural] for plural in kinds() if found.get(plural)}


def to_yaml(content: Any) -> str:
    """Plain data as YAML, a field a line."""
    stream = StringIO()
    writer().dump(content, stream)
    return stream.getvalue()


def writer(indentation: int = INDENTATION) -> YAML:
    """How files are written, and read to be written again: comments and quotes stay."""
    yaml = YAML(typ="rt", pure=True)
    yaml.width, yaml.preserve_quotes, yaml.allow_unicode = WIDTH, True, True
    yaml.indent(mapping=2, sequence=indentation + 2, offset=indentation)
    return yaml


def _kind(plural: str) -> Kind:
    kind = kinds().get(plural)
    if kind is None:
        message = f"{plural} is none of {', '.join(kinds())}."
        problems = (FieldProblem("only", message),)
        raise InvalidInput("kind-unknown", message, next_step="Name a kind, or a kind/key.", problems=problems)
    return kind


def _shown(kind: Kind, key: str) -> list[Content]:
    rows = list(kind.rows.filter(key=key) if key else kind.rows.order_by("key"))
    if key and not rows:
        raise Missing("not-found", f"There is no {kind.noun} called {key}.", next_step="Check the list of them.")
    return [kind.shown(row) for row in rows]
