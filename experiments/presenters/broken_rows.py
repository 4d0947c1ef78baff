"""What makes no sense of an experiment's rows, in words."""

from collections.abc import Iterator

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError

from controlplane.storage.legible_columns import broken_fields
from experiments.models import Experiment, State

UNREADABLE = "Broken: its record in the database cannot be read. Halt it, and write a new one."


def what_is_broken(experiment: Experiment) -> str:
    """What of it and of its parts makes no sense, and what to do; empty where all of it does."""
    try:
        found = "; ".join(_problems(experiment))
    except DatabaseError:
        raise
    except Exception:  # noqa: BLE001 - its rows may be broken in any way
        return UNREADABLE
    return f"Broken: {found}. Halt it, and write a new one." if found else ""


def _problems(experiment: Experiment) -> Iterator[str]:
    yield from broken_fields(experiment)
    if experiment.state not in State.values:
        yield f"its state {experiment.state!r} is none that this release knows"
    variants = list(experiment.variants.all())
    for variant in variants:
        yield from (f"of {variant.key} {problem}" for problem in broken_fields(variant))
    if sum(variant.is_control for variant in variants) != 1:
        yield "it has no control"
    yield from _problems_of_plan(experiment)


def _problems_of_plan(experiment: Experiment) -> Iterator[str]:
    try:
        plan = experiment.plan
    except ObjectDoesNotExist:
        yield "it has no plan"
        return
    yield from (f"of its plan {problem}" for problem in broken_fields(plan))
    if isinstance(experiment.stage_index, int) and experiment.stage_index >= len(plan.stages.all()):
        yield "its plan has no such stage"
