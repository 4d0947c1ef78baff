"""Pages of layers, with a drawing of who has which buckets."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib import messages
from django.db import DatabaseError
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from controlplane.models import Role
from controlplane.web.editing import unsaved
from controlplane.web.pages import accepted, acting, done, page, requires
from routing.models import Endpoint, Layer, Split
from routing.resources.edit import edit
from routing.resources.register import register
from routing.resources.remove import remove
from routing.table import BUCKETS, BasisPoints
from routing.table.segments import covered
from routing.table.types import Arm
from routing.views.resource_forms import LayerForm


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


@require_safe
def layer_list(request: HttpRequest) -> HttpResponse:
    """All layers."""
    splits = Prefetch("splits", Split.objects.select_related("endpoint"))
    layers = Layer.objects.prefetch_related(Prefetch("endpoints", Endpoint.objects.prefetch_related(splits)))
    return page(request, "routing/layers.html", {"lines": [_legible_line(layer) for layer in layers]})


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def layer_new(request: HttpRequest) -> HttpResponse:
    """Register a layer."""
    form = LayerForm(request.POST or None)
    if form.is_valid() and accepted(form, lambda: register(form.instance, actor=acting(request))):
        messages.success(request, f"Layer {form.instance.key} is registered; endpoints may join it.")
        return redirect("layer-list")
    return page(request, "routing/layer_form.html", {"form": form})


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def layer_edit(request: HttpRequest, key: str) -> HttpResponse:
    """Change a layer."""
    layer = get_object_or_404(Layer, key=key)
    form = LayerForm(request.POST or None, instance=layer)
    left = unsaved(form, lambda changes, version: edit(layer, changes, actor=acting(request), version=version))
    if left is None:
        messages.success(request, f"Layer {key} is changed; edges apply it within a second.")
        return redirect("layer-list")
    return page(request, "routing/layer_form.html", {"form": left, "key": key})


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def layer_delete(request: HttpRequest, key: str) -> HttpResponse:
    """Ask, then remove a layer that no endpoint is in."""
    layer = get_object_or_404(Layer, key=key)
    if request.method == "POST":
        done(request, lambda: remove(layer, actor=acting(request)), f"Layer {key} is removed.")
        return redirect("layer-list")
    context = {
        "kind": "layer",
        "key": key,
        "back": reverse("layer-list"),
        "consequence": "Its salt is forgotten. One that an endpoint is in is kept.",
    }
    return page(request, "confirm_removal.html", context)


def _legible_line(layer: Layer) -> LayerLine:
    """The line of a layer whose splits, or which itself, may be broken in any way."""
    try:
        return _line(layer)
    except DatabaseError:
        raise
    except Exception:  # noqa: BLE001 - as above
        return LayerLine(layer, [], [], 0, 0, 0, "Broken: what the database has of its buckets cannot be read.")


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
