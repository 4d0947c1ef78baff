"""Soaked is the time on a stage while an experiment was neither paused nor stopped, whatever else happened."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from controlplane.audit.actors import SLUICE
from experiments.actions.advance import advance
from experiments.actions.pause import pause
from experiments.actions.resume import resume
from experiments.actions.start import start
from experiments.decide import Decision, DecisionKind
from experiments.decide.types import Situation
from experiments.lifecycle.clock import soaked as soaked_until
from experiments.lifecycle.clock import still_spans
from experiments.models import Experiment, State
from experiments.plan.as_judged import pure_plan, pure_state
from experiments.stats.core.types import Halt, Results, SampleRatio
from routing.kill_switch.stops import stops_since
from routing.models import Endpoint, Stop
from tests.factories.drafts import draft

pytestmark = pytest.mark.django_db

START = datetime(2031, 3, 1, 12, tzinfo=UTC)
ADVANCE = Decision(DecisionKind.ADVANCE, "advance-1", "Nothing is wrong.")
NOTHING = Results((), SampleRatio({}, {}, 1.0, 0.0, mismatch=False), Halt(0.0, 4.6, reached=False, blamed=()))

SWITCHES = ("pause", "everywhere", "endpoint", "elsewhere")
"""What stands still for a while: the experiment by a pause; by the kill switch all, its endpoint, or another one."""

numbers = count()


def reference(flips: Iterable[tuple[int, str]], entered: int, now: int) -> int:
    """Second by second: on the stage, and neither paused nor stopped."""
    still: Mapping[str, bool] = dict.fromkeys(SWITCHES, False)
    soaked = 0
    turns = sorted(flips)
    for second in range(now):
        for at, switch in turns:
            if at == second:
                still = {**still, switch: not still[switch]}
        soaked += second >= entered and not (still["pause"] or still["everywhere"] or still["endpoint"])
    return soaked


def moment(second: int) -> datetime:
    return START + timedelta(seconds=second)


def live(flips: Iterable[tuple[int, str]], advanced_at: int | None) -> Experiment:
    """An experiment that lived through these turns of switches, each of which turns one on, or off again."""
    experiment = draft(f"lived-{next(numbers)}", traffic=0.1)
    start(experiment, actor=SLUICE, at=START)
    endpoints = {"everywhere": None, "endpoint": experiment.endpoint, "elsewhere": another_endpoint()}
    for at, switch in sorted(flips):
        if advanced_at is not None and at >= advanced_at and experiment.stage_index == 0:
            advance(experiment, ADVANCE, actor=SLUICE, at=moment(advanced_at))
        if switch == "pause":
            (resume if experiment.state == State.PAUSED else pause)(experiment, actor=SLUICE, at=moment(at))
            continue
        if not Stop.objects.filter(endpoint=endpoints[switch], ended_at=None).update(ended_at=moment(at)):
            Stop.objects.create(endpoint=endpoints[switch], since=moment(at), by="olga", reason="looks wrong")
    if advanced_at is not None and experiment.stage_index == 0:
        advance(experiment, ADVANCE, actor=SLUICE, at=moment(advanced_at))
    return Experiment.objects.get(pk=experiment.pk)


def another_endpoint() -> Endpoint:
    chat = Endpoint.objects.get(key="chat")
    defaults = {"name": "Search", "path_prefix": "/search", "backend": chat.backend, "layer": chat.layer}
    return Endpoint.objects.get_or_create(key="search", defaults=defaults)[0]


def soaked(experiment: Experiment, now: int) -> float:
    stops = stops_since(experiment.endpoint_id, START)
    entered = experiment.stage_entered_at
    return soaked_until(entered, still_spans(experiment, stops, entered), moment(now)).total_seconds()


turns = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(SWITCHES)), max_size=12, unique_by=lambda turn: turn)


@given(turns, st.integers(40, 50))
@example([(10, "pause"), (12, "everywhere"), (14, "everywhere"), (20, "pause")], 40)
@example([(5, "endpoint"), (8, "endpoint"), (10, "pause"), (20, "pause")], 40)
@example([(5, "everywhere"), (10, "pause"), (15, "everywhere"), (20, "pause"), (25, "pause")], 40)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_soaked_time_is_what_a_stopwatch_would_show(flips: list[tuple[int, str]], now: int) -> None:
    Stop.objects.all().delete()
    experiment = live(flips, None)
    assert soaked(experiment, now) == reference(flips, 0, now)
    state = pure_state(experiment, moment(now))
    situation = Situation(pure_plan(experiment), state, NOTHING, moment(now))
    assert situation.soaked == timedelta(seconds=reference(flips, 0, now))


@given(turns, st.integers(0, 40))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_stage_counts_from_its_own_start(flips: list[tuple[int, str]], advanced_at: int) -> None:
    """What stood still before the stage was entered takes nothing from it; nobody advances while paused."""
    Stop.objects.all().delete()
    flips = [turn for turn in flips if turn[1] != "pause" or turn[0] > advanced_at]
    experiment = live(flips, advanced_at)
    assert soaked(experiment, 50) == reference(flips, advanced_at, 50)


def test_pausing_changes_nothing_about_when_a_stage_was_entered() -> None:
    experiment = live([(10, "pause"), (20, "pause")], None)
    assert experiment.stage_entered_at == START
    assert [(pause.since, pause.ended_at) for pause in experiment.pauses.all()] == [(moment(10), moment(20))]


def test_a_clock_that_is_set_back_gives_no_soak_away() -> None:
    """An hour back in the middle of a pause: less counts as soaked than was, and never less than nothing."""
    experiment = draft()
    start(experiment, actor=SLUICE, at=START)
    pause(experiment, actor=SLUICE, at=moment(100))
    resume(experiment, actor=SLUICE, at=moment(100 - 3600))
    kept = Experiment.objects.get()
    assert soaked(kept, -3000) == 0
    assert soaked(kept, 50) == 50
    state = pure_state(kept, moment(-3000))
    assert Situation(pure_plan(kept), state, NOTHING, moment(-3000)).soaked == timedelta()


def test_a_stop_that_ends_before_it_began_takes_nothing() -> None:
    experiment = draft()
    start(experiment, actor=SLUICE, at=START)
    Stop.objects.create(since=moment(100), ended_at=moment(40), by="olga", reason="looks wrong")
    assert soaked(experiment, 200) == 200
