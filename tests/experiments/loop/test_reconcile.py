"""One step of the loop on a real lake: what the evidence asks for is done once, whatever is killed in between."""

from datetime import UTC, datetime, timedelta

import pytest

from controlplane.audit.actors import SLUICE
from controlplane.models import AuditEvent
from experiments.actions.pause import pause
from experiments.actions.start import start
from experiments.decide import DecisionKind
from experiments.loop.reconcile import reconcile
from experiments.metrics.define_metric import define_metric
from experiments.models import Analysis, Decision, Experiment, Metric, State
from experiments.plan.as_judged import pure_state
from routing.lake.schema import OUTCOMES, REQUESTS
from routing.models import Edge, Split
from tests.experiments.loop.evidence import USERS, fresh, later, measure, rows
from tests.factories.drafts import draft, draft_data
from tests.factories.rows import outcome_row, store

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def lake(own_lake: str) -> str:
    return own_lake


def test_harm_halts_at_once_and_once(lake: str, running: Experiment) -> None:
    measure(lake, running, control_errors=3, candidate_errors=60)
    decision = reconcile(running, now=later(running, 5))
    assert decision is not None
    assert decision.kind is DecisionKind.HALT
    assert "Error rate is 20 % for better against 1 % for control" in decision.reason
    assert reconcile(fresh(running), now=later(running, 6)) is None
    assert fresh(running).state == State.HALTED
    assert Decision.objects.filter(kind="halt").count() == 1
    assert not Split.objects.exists()


def test_a_paused_experiment_is_still_halted_by_harm(lake: str, running: Experiment) -> None:
    pause(running, actor=SLUICE)
    measure(lake, running, control_errors=3, candidate_errors=60)
    reconcile(running, now=later(running, 5))
    assert fresh(running).state == State.HALTED


def test_a_promotion_waits_while_another_experiment_tries_the_same(lake: str) -> None:
    experiment, other = draft(traffic=50), draft("other", traffic=10, audience=["x-client is tv"])
    start(experiment, actor=SLUICE)
    start(other, actor=SLUICE)
    measure(lake, experiment, control_errors=3, candidate_errors=2)
    reconcile(fresh(experiment), now=later(experiment, 60))
    advanced = fresh(experiment)
    held = reconcile(advanced, now=later(advanced, 300))
    assert held is not None
    assert (held.kind, held.code) == (DecisionKind.HOLD, "default-is-candidate")
    assert "candidate of other" in held.reason
    assert "Halt that experiment first" in held.reason
    assert fresh(experiment).state == State.RUNNING
    assert experiment.decisions.filter(kind="hold", code="default-is-candidate").exists()


def test_a_healthy_ramp_advances_and_is_promoted(lake: str, running: Experiment) -> None:
    measure(lake, running, control_errors=3, candidate_errors=2)
    soaking = reconcile(running, now=later(running, 5))
    assert soaking is not None
    assert soaking.kind is DecisionKind.HOLD
    reconcile(fresh(running), now=later(running, 60))
    advanced = fresh(running)
    assert (advanced.stage_index, Split.objects.get().coverage) == (1, 10_000)
    reconcile(advanced, now=later(advanced, 300))
    promoted = fresh(running)
    assert promoted.state == State.PROMOTED
    assert promoted.endpoint.backend.key == "candidate"
    assert list(promoted.decisions.order_by("sequence").values_list("kind", flat=True)) == [
        "hold",
        "advance",
        "promote",
    ]


def test_a_whole_rollout_knows_one_clock(lake: str) -> None:
    """Started, held, advanced and promoted by a clock of its own: every time that is stored is one that it showed."""
    began = datetime(2031, 3, 1, 12, tzinfo=UTC)
    experiment = draft()
    created = AuditEvent.objects.latest("id").pk
    start(experiment, actor=SLUICE, at=began)
    measure(lake, experiment, control_errors=3, candidate_errors=2)
    shown = [began + timedelta(seconds=seconds) for seconds in (5, 60, 65, 360)]
    for moment in shown:
        reconcile(fresh(experiment), now=moment)
    ended = Experiment.objects.select_related("plan").get()
    assert (ended.state, ended.started_at, ended.plan.frozen_at) == (State.PROMOTED, began, began)
    assert (ended.stage_entered_at, ended.ended_at) == (shown[1], shown[3])
    assert list(Analysis.objects.order_by("id").values_list("at", flat=True)) == shown
    decisions = Decision.objects.order_by("sequence").values_list("kind", "at")
    assert list(decisions) == list(zip(("hold", "advance", "hold", "promote"), shown, strict=True))
    events = AuditEvent.objects.filter(pk__gt=created).order_by("id").values_list("verb", "object_type", "at")
    assert list(events) == [
        ("start", "experiment", began),
        ("advance", "experiment", shown[1]),
        ("promote", "experiment", shown[3]),
        ("promote", "endpoint", shown[3]),
    ]


def test_a_clock_that_is_set_back_decides_nothing_early(lake: str, running: Experiment) -> None:
    """An hour back: the stage has not soaked by that clock, nor a minute later, and harm still halts at once."""
    measure(lake, running, control_errors=3, candidate_errors=2)
    for seconds in (-3600, -3540):
        held = reconcile(fresh(running), now=later(running, seconds))
        assert held is not None
        assert (held.kind, held.code) == (DecisionKind.HOLD, "soaking-1")
    harmed = list(rows(running, "better", USERS, first_unit=5 * USERS))
    store(lake, REQUESTS, [row | {"request_id": f"late-{place}"} for place, row in enumerate(harmed)])
    reconcile(fresh(running), now=later(running, -3539))
    assert fresh(running).state == State.HALTED


def test_an_edge_that_takes_a_candidate_out_halts_by_the_same_clock(running: Experiment) -> None:
    moment = datetime(2031, 3, 1, 12, tzinfo=UTC)
    cut = {"experiment": "canary", "variant": "better", "requests": 20, "failures": 15, "control_requests": 20}
    Edge.objects.create(name="local", seen_at=moment, cuts=[cut])
    reconcile(running, now=moment)
    assert (fresh(running).ended_at, Decision.objects.get().at) == (moment, moment)


def test_users_in_both_arms_hold_and_are_stored_as_a_finding(lake: str, running: Experiment) -> None:
    """One user in ten was seen in both arms: unit ids are not stable, and no result can be trusted."""
    measure(lake, running, control_errors=3, candidate_errors=2)
    astray = list(rows(running, "better", 0, first_unit=0))[:30]
    store(lake, REQUESTS, [row | {"request_id": f"astray-{place}"} for place, row in enumerate(astray)])
    decision = reconcile(running, now=later(running, 60))
    assert decision is not None
    assert (decision.kind, decision.code) == (DecisionKind.HOLD, "units-in-several-arms")
    assert "30 of 600 users were in several variants" in decision.reason
    findings = Analysis.objects.get().results["findings"]
    assert [finding["code"] for finding in findings] == ["units-in-several-arms"]


def test_a_metric_beyond_all_floats_hides_no_harm_and_no_finding(lake: str) -> None:
    """Of one user's revenue the square is infinite: that metric says nothing, and all others go on."""
    revenue = {"key": "revenue", "name": "Revenue", "type": "mean", "numerator": "outcome(revenue)"}
    define_metric(Metric(**revenue, direction="increase"), actor=SLUICE)
    plan = draft_data()["plan"]
    plan["metrics"].append({"metric": "revenue", "role": "observed"})
    experiment = draft(plan=plan)
    start(experiment, actor=SLUICE)
    measure(lake, experiment, control_errors=3, candidate_errors=2)
    time = later(experiment, 1).isoformat()
    store(lake, OUTCOMES, [outcome_row("huge", name="revenue", value=1e200, unit=0, time=time, received_at=time)])
    decision = reconcile(experiment, now=later(experiment, 60))
    assert decision is not None
    assert (decision.kind, decision.code) == (DecisionKind.HOLD, "not-checked")
    assert decision.reason.startswith("The counts of revenue could not be checked: Sums over units are not finite")
    stored = Analysis.objects.get()
    assert [found["subject"] for found in stored.results["findings"]] == ["The counts of revenue"]
    sums = {(each["metric"], each["variant"]): each["sum_yy"] for each in stored.evidence["sums"]}
    assert sums["revenue", "control"] is None
    harmed = list(rows(experiment, "better", USERS, first_unit=5 * USERS))
    store(lake, REQUESTS, [row | {"request_id": f"late-{place}"} for place, row in enumerate(harmed)])
    halted = reconcile(fresh(experiment), now=later(experiment, 61))
    assert halted is not None
    assert halted.kind is DecisionKind.HALT


def test_a_look_that_shows_nothing_yet_is_remembered(lake: str, running: Experiment) -> None:
    """The candidate has a few more errors: within the margin or not, 300 users cannot say, so a later look may."""
    measure(lake, running, control_errors=6, candidate_errors=9)
    reconcile(running, now=later(running, 60))
    on_last = fresh(running)
    first = reconcile(on_last, now=later(on_last, 300))
    assert first is not None
    assert (first.kind, first.code) == (DecisionKind.HOLD, "look-1")
    assert pure_state(fresh(running), later(on_last, 300)).looks.taken["error-rate", "better"][0].fraction < 1.0
    second = reconcile(fresh(running), now=later(on_last, 310))
    assert second is not None
    assert (second.kind, second.code) == (DecisionKind.HOLD, "before-look-2")
    assert Analysis.objects.filter(look=True).count() == 1


def test_without_traffic_nothing_is_promoted(running: Experiment) -> None:
    reconcile(running, now=later(running, 400))
    assert fresh(running).state == State.RUNNING
    reconcile(fresh(running), now=later(running, 3600))
    assert fresh(running).state == State.INCONCLUSIVE


def test_holding_for_the_same_cause_is_said_once(running: Experiment) -> None:
    for seconds in (1, 2, 3):
        reconcile(fresh(running), now=later(running, seconds))
    assert Decision.objects.count() == 1
    assert Analysis.objects.count() == 3


@pytest.mark.parametrize("dies_in", ["append_decision", "move", "remove"])
def test_a_death_in_the_middle_of_a_halt_leaves_all_or_nothing(
    lake: str, running: Experiment, monkeypatch: pytest.MonkeyPatch, dies_in: str
) -> None:
    measure(lake, running, control_errors=3, candidate_errors=60)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"experiments.lifecycle.end.{dies_in}", die)
        with pytest.raises(KeyboardInterrupt):
            reconcile(running, now=later(running, 5))
    assert fresh(running).state == State.RUNNING
    assert Split.objects.exists()
    assert Decision.objects.count() == 0
    reconcile(fresh(running), now=later(running, 6))
    assert fresh(running).state == State.HALTED
    assert Decision.objects.count() == 1


def test_a_decision_carries_its_evidence(lake: str, running: Experiment) -> None:
    measure(lake, running, control_errors=3, candidate_errors=60)
    reconcile(running, now=later(running, 5))
    evidence = Decision.objects.get().evidence
    assert evidence["sufficient_statistics"]["units"] == {"control": USERS, "better": USERS}
    sums = {item["variant"]: item["sum_y"] for item in evidence["sufficient_statistics"]["sums"]}
    assert sums == {"control": 3, "better": 60}
    assert evidence["lake_version"]["requests"] >= 1
    assert evidence["results"]["halt"]["reached"] is True


def test_of_many_analyses_the_newest_and_those_behind_decisions_stay(running: Experiment) -> None:
    for second in range(34):
        reconcile(fresh(running), now=later(running, second))
    decided = set(Decision.objects.values_list("analysis_id", flat=True))
    kept = list(Analysis.objects.order_by("pk").values_list("pk", flat=True))
    assert kept[0] in decided
    assert len(kept) == len(decided) + 30
