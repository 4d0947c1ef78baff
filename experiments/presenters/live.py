"""The parts of an experiment's page, and which of them have changed since the browser got them."""

import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from controlplane.problems.problem import Problem
from experiments.actions.verbs import VERBS
from experiments.charts.effect_over_time import EffectPoint, effect_over_time
from experiments.charts.forest import forest_plot
from experiments.charts.traffic_over_time import traffic_over_time
from experiments.course.reads import Point, read_course
from experiments.exploration.content import ExplorationContent
from experiments.exploration.reads import Found, read_exploration
from experiments.models.experiment import LIVE_STATES, State
from experiments.presenters.breakdown import dimension_tables
from experiments.presenters.comparison import accepted_harm, forest_rows, metric_lines
from experiments.presenters.course import Traffic, effect_points, effect_rows, traffic_of
from experiments.presenters.drawings import Chart, Drawing
from experiments.presenters.history import log_lines
from experiments.presenters.page_reads import Dossier
from experiments.presenters.seen import seen
from experiments.presenters.timeline import stage_lines, stage_spans
from experiments.presenters.traffic import findings, ratio_card, users_in_two_arms, variant_lines
from experiments.presenters.verdict import TONES, announce, lead, summarise
from experiments.stats.core.types import MetricResult
from routing.publishing.unconfirmed_changes import unconfirmed_changes
from routing.resources.defaults import in_words


@dataclass(frozen=True)
class Visit:
    """What a page shows: an experiment at a moment, with the effect of one `metric:variant` over time.

    `widths` are those at which this browser has asked for drawings.
    """

    dossier: Dossier
    now: datetime
    chosen: str
    widths: Collection[str] = ()

    @cached_property
    def course(self) -> list[Point]:
        """Read when a part that shows it is."""
        return read_course(self.dossier.experiment)

    @cached_property
    def exploration(self) -> Found:
        """What is shown by dimension."""
        asked = self.dossier.experiment.plan.dimensions
        return read_exploration(self.dossier.experiment) if asked else Found(None, ExplorationContent())

    @cached_property
    def traffic(self) -> Traffic:
        """Traffic by variant, of a started experiment."""
        started_at = self.dossier.experiment.started_at
        return traffic_of(self.course if started_at else [], started_at or self.now, self.variants)

    @cached_property
    def unconfirmed(self) -> list[Problem]:
        """Edges that have not confirmed what the experiment is now; nobody meets a draft."""
        experiment = self.dossier.experiment
        return [] if experiment.state == State.DRAFT else unconfirmed_changes(experiment.key)

    @property
    def variants(self) -> list[str]:
        """The keys of the variants, the control first."""
        return [variant.key for variant in self.dossier.variants]


@dataclass(frozen=True, slots=True)
class PagePart:
    """A part of the page: its name, what it is made of, and the facts that it changes with."""

    name: str
    context: Callable[[Visit], dict[str, Any]]
    facts: Callable[[Visit], object]


def changed_parts(visit: Visit, seen: str) -> list[PagePart]:
    """The parts whose facts are not those that the browser has `seen`."""
    versions = dict(zip((part.name for part in PARTS), seen.split("."), strict=False))
    return [part for part in PARTS if _version(part, visit) != versions.get(part.name)]


def seen_now(visit: Visit) -> str:
    """What a browser that has every part has seen."""
    return ".".join(_version(part, visit) for part in PARTS)


def parts_context(visit: Visit, parts: Sequence[PagePart]) -> dict[str, Any]:
    """What the templates of these parts need."""
    context: dict[str, Any] = {"experiment": visit.dossier.experiment, "dossier": visit.dossier, "chosen": visit.chosen}
    for part in parts:
        context |= part.context(visit)
    return context


def _version(part: PagePart, visit: Visit) -> str:
    return f"{zlib.crc32(repr(part.facts(visit)).encode()):x}"


def _announcement(visit: Visit) -> dict[str, Any]:
    return {"announcement": announce(visit.dossier, visit.now)}


def _verdict(visit: Visit) -> dict[str, Any]:
    return {
        "summary": summarise(visit.dossier, visit.now),
        "state_tone": TONES[State(visit.dossier.experiment.state)],
        "stop": visit.dossier.stop,
    }


def _unconfirmed(visit: Visit) -> dict[str, Any]:
    return {"unconfirmed": visit.unconfirmed}


def _stop(visit: Visit) -> int | None:
    stop = visit.dossier.stop
    return stop.pk if stop else None


def _actions(visit: Visit) -> dict[str, Any]:
    experiment = visit.dossier.experiment
    verbs = [verb for verb in VERBS if experiment.state in verb.shown_in]
    without = in_words(experiment.endpoint)
    return {"live": experiment.state in LIVE_STATES, "without": without, "verbs": verbs, "as_seen": seen(experiment)}


def _acted_on(visit: Visit) -> tuple[str, datetime | None]:
    """Of two pauses each has buttons of its own; while it runs the part stays, so that nobody's typing is lost."""
    return visit.dossier.experiment.state, visit.dossier.experiment.paused_at


def _stages(visit: Visit) -> dict[str, Any]:
    return {"stages": stage_lines(visit.dossier, visit.now)}


def _results(visit: Visit) -> dict[str, Any]:
    return {"lines": metric_lines(visit.dossier), "forest": drawing(visit, "forest")}


def _effect(visit: Visit) -> dict[str, Any]:
    result = _chosen(visit)
    if result is None:
        return {"effect_tabs": [], "effect": None}
    return {
        "effect_tabs": _tabs(visit.dossier, result),
        "effect": drawing(visit, "effect"),
        "effect_name": visit.dossier.plan.labels[result.metric].name,
    }


def _traffic(visit: Visit) -> dict[str, Any]:
    return {
        "variants": variant_lines(visit.dossier),
        "ratio": ratio_card(visit.dossier),
        "findings": findings(visit.dossier),
        "two_arms": users_in_two_arms(visit.dossier),
    }


def _effect_points(visit: Visit) -> list[EffectPoint]:
    result, started_at = _chosen(visit), visit.dossier.experiment.started_at
    if result is None or started_at is None:
        return []
    return effect_points(visit.course, started_at, (result.metric, result.variant))


def _effect_rows(visit: Visit) -> dict[str, Any]:
    started_at = visit.dossier.experiment.started_at
    return {"effect_rows": effect_rows(_effect_points(visit), started_at) if started_at else []}


def _course(visit: Visit) -> dict[str, Any]:
    return {"course": visit.traffic, "course_drawing": drawing(visit, "course")}


def _course_rows(visit: Visit) -> dict[str, Any]:
    return {"course": visit.traffic}


def _breakdown(visit: Visit) -> dict[str, Any]:
    result, found = _chosen(visit), visit.exploration
    return {
        "explored_at": found.at,
        "dimensions": dimension_tables(visit.dossier, found.content, result) if result else [],
        "broken_down": visit.dossier.plan.labels[result.metric].name if result else "",
        "split_problems": found.content.problems,
    }


def _log(visit: Visit) -> dict[str, Any]:
    return {"log": log_lines(visit.dossier)}


def _place(visit: Visit) -> tuple[object, ...]:
    experiment, analysis = visit.dossier.experiment, visit.dossier.analysis
    return experiment.state, experiment.stage_index, analysis.pk if analysis else None, _stop(visit)


PARTS = (
    PagePart("announcement", _announcement, lambda visit: announce(visit.dossier, visit.now)),
    PagePart("unconfirmed", _unconfirmed, lambda visit: visit.unconfirmed),
    PagePart("verdict", _verdict, lambda visit: (summarise(visit.dossier, visit.now), _stop(visit))),
    PagePart("actions", _actions, _acted_on),
    PagePart("stages", _stages, lambda visit: stage_lines(visit.dossier, visit.now)),
    PagePart("results", _results, _place),
    PagePart("effect", _effect, lambda visit: (_place(visit), visit.chosen)),
    PagePart("effect_rows", _effect_rows, lambda visit: (_place(visit), visit.chosen)),
    PagePart("breakdown", _breakdown, lambda visit: (visit.exploration.at, visit.chosen, _lead(visit))),
    PagePart("course", _course, _place),
    PagePart("course_rows", _course_rows, _place),
    PagePart("traffic", _traffic, _place),
    PagePart("log", _log, lambda visit: log_lines(visit.dossier)),
)


def _forest_chart(visit: Visit) -> Chart | None:
    rows = forest_rows(visit.dossier)
    return (lambda width: forest_plot(rows, width=width)) if rows else None


def _effect_chart(visit: Visit) -> Chart | None:
    dossier, result, points = visit.dossier, _chosen(visit), _effect_points(visit)
    if result is None or not points:
        return None
    plan = next(metric for metric in dossier.plan.metrics if metric.key == result.metric)
    # As of the analysis: until the next one the drawing is the same.
    stages = stage_spans(dossier, dossier.analysis.at if dossier.analysis else visit.now)
    accepted = accepted_harm(plan, result)
    return lambda width: effect_over_time(points, stages, accepted, width=width)


def _course_chart(visit: Visit) -> Chart | None:
    traffic, variants = visit.traffic, visit.variants
    if not traffic.steps:
        return None
    return lambda width: traffic_over_time(traffic.steps, variants, traffic.each, width=width)


CHARTS: Mapping[str, Callable[[Visit], Chart | None]] = {
    "forest": _forest_chart,
    "effect": _effect_chart,
    "course": _course_chart,
}


def drawing(visit: Visit, name: str) -> Drawing:
    """One of `CHARTS`."""
    return Drawing(name, CHARTS[name](visit), visit.widths)


def _chosen(visit: Visit) -> MetricResult | None:
    """The metric that was asked for, or the one that matters most."""
    results = visit.dossier.results
    if results is None or not results.metrics:
        return None
    asked = [result for result in results.metrics if _name(result) == visit.chosen]
    return asked[0] if asked else lead(results)


def _lead(visit: Visit) -> str:
    """The name of the metric that is shown."""
    result = _chosen(visit)
    return _name(result) if result else ""


def _tabs(dossier: Dossier, chosen: MetricResult) -> list[dict[str, object]]:
    several = len(dossier.candidates) > 1
    return [
        {
            "name": _name(result),
            "label": dossier.plan.labels[result.metric].name + (f", {result.variant}" if several else ""),
            "chosen": result is chosen,
        }
        for result in (dossier.results.metrics if dossier.results else ())
    ]


def _name(result: MetricResult) -> str:
    return f"{result.metric}:{result.variant}"
