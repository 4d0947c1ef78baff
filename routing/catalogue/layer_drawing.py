"""A drawing of who has which buckets of a layer."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import DatabaseError

from routing.models import Layer, Split
from routing.table import BUCKETS, BasisPoints
from routing.table.segments import covered
from routing.table.types import Arm


@dataclass(frozen=True, slots=True)
class LayerPart:
    """A run of buckets in the drawing: reserved by an experiment, in one of its arms, or held out."""

    kind: str
    start: int
    width: int
    title: str


@dataclass(frozen=True, slots=True)
class LayerLine:
    """A layer with its drawing; used, free and held out are in per cent of all users."""

    layer: Layer
    splits: list[Split]
    parts: list[LayerPart]
    used: float
    free: float
    held_out: float
    broken: str = ""


def drawn(layer: Layer) -> LayerLine:
    """The line of a layer whose splits, or which itself, may be broken in any way."""
    try:
        return _line(layer)
    except DatabaseError:
        raise
    except Exception:  # noqa: BLE001 - as above
        return LayerLine(layer, [], [], 0, 0, 0, "Broken: the record of its buckets cannot be read.")


def _line(layer: Layer) -> LayerLine:
    splits = sorted((s for e in layer.endpoints.all() for s in e.splits.all()), key=lambda split: split.start)
    used = sum(split.end - split.start for split in splits)
    return LayerLine(
        layer=layer,
        splits=splits,
        parts=[*_held_out(layer), *(part for split in splits for part in _parts(split))],
        used=BasisPoints(used).percent,
        free=BasisPoints(BUCKETS - used - layer.holdout).percent,
        held_out=BasisPoints(layer.holdout).percent,
    )


def _held_out(layer: Layer) -> Iterator[LayerPart]:
    if layer.holdout:
        start = BUCKETS - layer.holdout
        yield LayerPart("held-out", start, layer.holdout, f"Held out: buckets {start} to {BUCKETS - 1}")


def _parts(split: Split) -> Iterator[LayerPart]:
    """The range that is reserved, and within it what of each arm is in."""
    buckets = f"buckets {split.start} to {split.end - 1}"
    yield LayerPart(
        "reserved", split.start, split.end - split.start, f"{split.experiment} on {split.endpoint.key}: {buckets}"
    )
    for arm in split.arms:
        span = Arm(arm["variant"], arm["backend"], arm["start"], arm["end"])
        width = covered(span, split.coverage)
        yield LayerPart(
            "arm", span.start, width, f"{split.experiment}, {span.variant}: {width} buckets from {span.start}"
        )
