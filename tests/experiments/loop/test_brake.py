"""Harm is halted first and apart from everything else, whatever raises."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from controlplane.audit.actors import SLUICE
from experiments.decide.types import Decision as PureDecision
from experiments.decide.types import DecisionKind
from experiments.lifecycle.append_decision import append_decision
from experiments.loop.reconcile import reconcile
from experiments.models import Analysis, Decision, Experiment, State
from experiments.plan.as_judged import pure_state
from experiments.presenters.page_reads import read_dossier
from routing.lake.schema import REQUESTS
from routing.models import Edge, Split
from tests.experiments.loop.evidence import fresh, later, measure, rows
from tests.factories.rows import store

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

PARTS = (
    "experiments.stats.judging.judge.conclude",
    "experiments.stats.judging.judge.sample_ratio",
    "experiments.stats.judging.intervals.at_looks",
    "experiments.loop.health_findings.check_health",
    "experiments.loop.analyse.incomparable",
    "experiments.loop.analyse.late_outcomes",
    "experiments.loop.health_findings.lost_by_variant",
    "experiments.loop.health_findings.segment_findings",
    "experiments.loop.analyse.by_severity",
    "experiments.loop.analyse.latest_table",
    "experiments.loop.analyse.open_stops",
    "experiments.loop.brake.past_looks",
    "experiments.loop.reconcile.pure_state",
    "experiments.loop.edge_guard.heed",
    "experiments.decide.rules.harmed.compared",
)


CUT = {"experiment": "canary", "variant": "better", "requests": 20, "failures": 15, "control_requests": 0}


@pytest.fixture(autouse=True)
def lake(own_lake: str) -> str:
    return own_lake


def two_edges(*cuts: Any) -> None:
    for name in ("east", "west"):
        Edge.objects.create(name=name, seen_at=timezone.now(), cuts=list(cuts))


@pytest.mark.parametrize("part", PARTS)
def test_harm_halts_whatever_else_raises(
    lake: str, running: Experiment, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """Each part is called on the way to a decision: without harm, this very failure shows or is a finding."""
    two_edges(*([CUT] if "guard" in part else []))
    monkeypatch.setattr(part, _raising)
    measure(lake, running, control_errors=3, candidate_errors=60)
    decision = reconcile(running, now=later(running, 5))
    assert decision is not None
    assert (decision.kind, decision.variant) == (DecisionKind.HALT, "better")
    assert "worse than the accepted margin of 3 percentage points" in decision.reason
    assert fresh(running).state == State.HALTED
    assert not Split.objects.exists()
    assert Decision.objects.get(kind="halt").reason == decision.reason


def _raising(*_: object, **__: object) -> None:
    raise ZeroDivisionError


def test_what_can_be_told_of_a_halt_is_still_told(
    lake: str, running: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page and the ledger show the sums and who is to blame, though no verdict could be found."""
    monkeypatch.setattr("experiments.stats.judging.judge.conclude", _raising)
    measure(lake, running, control_errors=3, candidate_errors=60)
    reconcile(running, now=later(running, 5))
    found = read_dossier("canary").results
    assert found is not None
    assert [(row.metric, row.harmed) for row in found.metrics] == [("error-rate", True)]
    sums = Decision.objects.get(kind="halt").evidence["sufficient_statistics"]["sums"]
    assert {each["variant"]: each["sum_y"] for each in sums} == {"control": 3, "better": 60}


@pytest.mark.parametrize("cut", [{"experiment": "canary"}, {**CUT, "failures": "many"}, {**CUT, "requests": None}])
def test_what_an_edge_tells_wrongly_keeps_no_halt_from_happening(
    lake: str, running: Experiment, cut: dict[str, Any]
) -> None:
    two_edges(cut)
    measure(lake, running, control_errors=3, candidate_errors=60)
    reconcile(running, now=later(running, 5))
    assert fresh(running).state == State.HALTED


LOOK = {
    "metric": "error-rate",
    "variant": "better",
    "verdict": "insufficient",
    "information": 9.0,
    "information_fraction": 0.5,
}
STORED: list[Any] = [
    {},
    {"metrics": [{}]},
    {"metrics": None},
    [],
    {"metrics": [{"metric": "x"}]},
    {"metrics": []},
    {"metrics": [{"metric": "error-rate", "variant": "better", "verdict": "insufficient"}]},
    {"metrics": [{**LOOK, "variant": "another"}]},
]
"""Looks that do not tell what they spent on the one guardrail of the one candidate."""


@pytest.mark.parametrize("stored", STORED)
def test_looks_that_cannot_be_read_keep_no_halt_from_happening(lake: str, running: Experiment, stored: Any) -> None:
    _look(running, stored)
    measure(lake, running, control_errors=3, candidate_errors=60)
    reconcile(running, now=later(running, 5))
    assert fresh(running).state == State.HALTED


@pytest.mark.parametrize("stored", STORED)
def test_while_looks_cannot_be_read_it_is_judged_and_says_so_until_its_time_is_over(
    lake: str, running: Experiment, stored: Any
) -> None:
    measure(lake, running, control_errors=3, candidate_errors=2)
    reconcile(running, now=later(running, 60))
    on_last = fresh(running)
    _look(on_last, stored)
    analyses = Analysis.objects.count()

    for seconds in (300, 301, 302):
        decision = reconcile(fresh(running), now=later(on_last, seconds))
        assert decision is not None
        assert (decision.kind, decision.code) == (DecisionKind.HOLD, "results-unreadable")
    assert "This release cannot read the stored results" in Decision.objects.latest("id").reason
    assert Analysis.objects.count() == analyses + 3
    assert not Analysis.objects.filter(pk__gt=analyses, look=True).exists()

    over = timedelta(seconds=fresh(running).plan.maximum_seconds)
    decision = reconcile(fresh(running), now=later(running, over.total_seconds()))
    assert decision is not None
    assert (decision.kind, decision.code) == (DecisionKind.INCONCLUSIVE, "time-over")
    assert fresh(running).state == State.INCONCLUSIVE


def test_looks_of_an_earlier_release_that_shrank_are_read(lake: str, running: Experiment) -> None:
    """Its last look had less information than the one before, which was never analysed again."""
    measure(lake, running, control_errors=6, candidate_errors=9)
    reconcile(running, now=later(running, 60))
    on_last = fresh(running)
    for information, fraction in ((9e9, 0.5), (100.0, 0.2)):
        row = {"metric": "error-rate", "variant": "better", "verdict": "insufficient"}
        _look(on_last, {"metrics": [{**row, "information": information, "information_fraction": fraction}]})
    assert pure_state(fresh(running), later(on_last, 300)).looks.number == 2
    decision = reconcile(on_last, now=later(on_last, 300))
    assert decision is not None
    found = read_dossier("canary").results
    assert found is not None
    assert found.metrics[0].information == 9e9
    measure_more_harm(lake, on_last)
    reconcile(fresh(running), now=later(on_last, 301))
    assert fresh(running).state == State.HALTED


def measure_more_harm(lake: str, experiment: Experiment) -> None:
    harmed = list(rows(experiment, "better", 300, first_unit=5000))
    store(lake, REQUESTS, [row | {"request_id": f"late-{place}"} for place, row in enumerate(harmed)])


def _look(experiment: Experiment, results: Any) -> None:
    """A stored look, with the decision that was made at it."""
    analysis = Analysis.objects.create(
        experiment=experiment,
        at=timezone.now() - timedelta(minutes=1),
        look=True,
        stage_index=0,
        results=results,
        evidence={},
        lake_version={},
        table_version=1,
        code_version="0",
    )
    held = PureDecision(DecisionKind.HOLD, "look-1", "Look 1 showed nothing yet.")
    append_decision(experiment, held, actor=SLUICE, analysis=analysis)


def test_without_harm_a_failed_check_is_a_finding_that_blocks(
    lake: str, running: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("experiments.loop.health_findings.lost_by_variant", _raising)
    measure(lake, running, control_errors=3, candidate_errors=2)
    decision = reconcile(running, now=later(running, 60))
    assert decision is not None
    assert (decision.kind, decision.code) == (DecisionKind.HOLD, "not-checked")


def test_a_stage_is_not_left_while_harm_is_likely(lake: str, running: Experiment) -> None:
    measure(lake, running, control_errors=15, candidate_errors=45)
    decision = reconcile(running, now=later(running, 60))
    assert decision is not None
    assert (decision.kind, decision.code) == (DecisionKind.HOLD, "likely-harm-1")
    assert "probably worse than its margin" in decision.reason
    assert fresh(running).stage_index == 0


@pytest.mark.parametrize("part", ["", "experiments.loop.analyse.latest_table"])
def test_a_look_halts_what_is_beyond_its_margin_at_the_end(
    lake: str, running: Experiment, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """15 % of users fail and 5 % of the control's, 3 points are accepted: z is 2.9, too little at any time.

    It halts whether the look can be stored or not.
    """
    measure(lake, running, control_errors=15, candidate_errors=45)
    Experiment.objects.filter(pk=running.pk).update(stage_index=1, stage_entered_at=later(running, 60))
    on_last = fresh(running)
    if part:
        monkeypatch.setattr(part, _raising)
    decision = reconcile(on_last, now=later(on_last, 4000))
    assert decision is not None
    assert (decision.kind, decision.code) == (DecisionKind.HALT, "guardrail-harmed")
    assert decision.reason.endswith("worse than the accepted margin of 3 percentage points, as look 1 shows.")
    assert fresh(running).state == State.HALTED
    assert Analysis.objects.filter(look=True).exists() is not bool(part)
