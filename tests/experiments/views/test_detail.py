"""The page of one experiment."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from controlplane.audit.actors import SLUICE, Actor
from controlplane.models import Role
from controlplane.problems.problem import Problem
from experiments.actions.advance import advance
from experiments.actions.conclude import conclude
from experiments.actions.delete import delete
from experiments.actions.halt import halt, halt_by_hand
from experiments.actions.pause import pause
from experiments.actions.promote import promote_by_hand
from experiments.actions.start import start
from experiments.decide import Decision, DecisionKind
from experiments.models import Experiment, Metric
from experiments.presenters.reads import verdict
from experiments.stats.core.types import Finding, Severity
from routing.models import Stop
from routing.resources.edit import edit
from tests.experiments.views.findings import GOAL, found, measured, planned, running
from tests.factories.drafts import backend, endpoint
from tests.visitors.roles import text, visitor

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

ADVANCE = Decision(DecisionKind.ADVANCE, "advance-1", "No guardrail is worse than its margin.")


def page() -> str:
    return " ".join(text(visitor(Role.VIEWER), "/experiments/canary").split())


def test_a_draft_says_that_nothing_happens_yet() -> None:
    planned()
    seen = page()
    assert "Not started: all users of chat get stable." in seen
    assert "stage 1 puts 10 % of each variant&#x27;s users on the test" in seen
    assert "5 % at stage 1" in seen


def test_a_running_one_says_what_is_known_with_numbers_and_what_comes() -> None:
    measured(running(), found())
    seen = page()
    assert (
        "Stage 1 of 2 (10 %): Requests per user is 5 for better against 4 for control (+25.0%), "
        "from 510 and 500 users; 1 of 1 guardrails are shown to be within their margins." in seen
    )
    assert "coverage goes to 100 % in about 30 days unless harm is shown." in seen


def test_the_guard_of_the_edges_and_what_is_not_watched_are_said() -> None:
    planned(guard={"requests": 30, "failing_share": 0.25, "window_seconds": 2, "first_byte_ms": 1500})
    assert "once of the latest 30 requests within 2 s 25 % fail, or begin to be answered after 1500 ms" in page()
    assert "Not watched</dt><dd>client-error-rate, redirect-rate, abandon-rate, truncated-rate" in page()


def test_a_guard_that_is_off_is_said() -> None:
    planned(guard=None)
    assert "nobody: the guard is off" in page()


def test_one_without_results_says_so() -> None:
    running()
    assert "has begun, and nothing is measured yet." in page()


def test_one_that_is_not_judged_any_more_says_so_before_its_old_results() -> None:
    measured(running(), found(), seconds_ago=600)
    seen = page()
    assert "Stage 1 of 2 (10 %) was not judged since " in seen
    assert "though that is due each 10 s: nothing is decided, and nothing halts by itself." in seen
    assert "guardrails are shown to be within" not in seen

    measured(Experiment.objects.get(), found(), seconds_ago=30)
    assert "was not judged since" not in page()


def test_one_that_was_never_judged_says_so_once_that_was_due() -> None:
    Experiment.objects.filter(pk=running().pk).update(started_at=timezone.now() - timedelta(minutes=5))
    assert "was not judged since " in page()


def test_once_the_kill_switch_is_off_it_has_time_to_be_judged() -> None:
    experiment = running()
    now = timezone.now()
    began = now - timedelta(minutes=20)
    Experiment.objects.filter(pk=experiment.pk).update(started_at=began, stage_entered_at=began)
    measured(experiment, found(), seconds_ago=600)
    stopped = {"since": now - timedelta(seconds=600), "ended_at": now - timedelta(seconds=5)}
    Stop.objects.create(endpoint=experiment.endpoint, by="olga", reason="An incident.", **stopped)
    assert "was not judged since" not in page()

    Stop.objects.update(ended_at=now - timedelta(minutes=5))
    assert "was not judged since" in page()


def test_a_broken_split_comes_before_all_results() -> None:
    said = found(mismatch=True)
    ratio = replace(said.sample_ratio, observed={"control": 600, "better": 400}, p_value=1e-9)
    measured(running(), replace(said, sample_ratio=ratio))
    seen = page()
    assert "control has 60 % instead of 50 % of the users and better has 40 % instead of 50 % of the users" in seen
    assert "happens by chance less than once in 1,000 times" in seen
    assert "The split is not the one that was set" in seen


def test_a_pause_says_who_waits_for_what() -> None:
    pause(running(), actor=Actor("olga", Role.APPROVER), reason="lunch")
    seen = page()
    assert "Paused (lunch) on stage 1 of 2 (10 %)." in seen
    assert "Resume it or halt it." in seen
    assert "by olga" in seen


def test_a_halt_says_where_and_why() -> None:
    experiment = running()
    analysis = measured(experiment, found(harmed=True))
    reason = "Error rate is 6 % for better against 1 % for control."
    halt(experiment, Decision(DecisionKind.HALT, "guardrail-harmed", reason), actor=SLUICE, analysis=analysis)
    seen = page()
    assert f"Halted on stage 1 of 2 (10 %): {reason}" in seen
    assert "All users of chat get stable again." in seen
    assert "halted here" in seen
    assert "none any more" in seen


def test_what_a_person_typed_ends_with_one_full_stop() -> None:
    halt_by_hand(running(), actor=Actor("olga", Role.APPROVER), reason="Users complain")
    assert "Halted on stage 1 of 2 (10 %): Users complain.<" in page()
    said = "Halted: Users complain. All users go back to what they have by default."
    assert verdict(Experiment.objects.get()) == said


def test_a_promotion_says_what_users_get_now() -> None:
    promote_by_hand(running(), actor=SLUICE, reason="It is better.")
    seen = page()
    assert "Promoted: all users of chat get candidate. It is better." in seen
    assert "stable can be retired" in seen


def test_what_cannot_be_told_is_left_to_a_person() -> None:
    conclude(running(), Decision(DecisionKind.INCONCLUSIVE, "not-shown", "It cannot be told."), actor=SLUICE)
    seen = page()
    assert "Inconclusive: It cannot be told." in seen
    assert "You decide: promote by hand with a reason" in seen


def test_results_stand_with_their_intervals_and_verdicts() -> None:
    measured(running(), found())
    seen = page()
    for words in (
        "+1",
        "+0.4 to +1.6",
        "+25.0 %",
        "+10.0 to +40.0 %",
        "Pass</span>",
        "shown to be better",
        "goal, higher is better",
        "margin 1 percentage points",
        "+0.2 pp",
        "−0.4 pp to +0.8 pp",
        "shown to be within its margin",
    ):
        assert words in seen
    assert seen.count('class="marks"') == 3


def test_what_was_not_measured_is_said_and_not_drawn() -> None:
    nothing = replace(
        GOAL,
        control_value=None,
        variant_value=None,
        effect=None,
        relative=None,
        interval=None,
        relative_interval=None,
        anytime_interval=None,
        note="no user has a value",
    )
    measured(running(), found(goal=nothing))
    seen = page()
    assert "not measured" in seen
    assert "no user has a value" in seen
    assert "Requests per user could not be measured" in seen


def test_the_traffic_is_set_beside_what_arrived() -> None:
    measured(running(), found())
    seen = page()
    for words in ("2,060", "5 % now", "50 % of the test", "The split is as it was set", "3 users were seen in more"):
        assert words in seen


def test_what_is_wrong_with_the_records_is_said_with_what_to_do() -> None:
    leak = Finding(
        Problem.of("leak", "12 units are in off.", "Find out who sent them there."), Severity.BLOCKS_PROMOTION, "off"
    )
    measured(running(), replace(found(), findings=(leak,)))
    seen = page()
    assert "12 units are in off." in seen
    assert "Find out who sent them there." in seen


def test_traffic_that_stopped_comes_first() -> None:
    silence = Finding(
        Problem.of("no-new-data", "No request was recorded since 14:05.", "Look why."), Severity.WARNING, "traffic"
    )
    measured(running(), replace(found(), findings=(silence,)))
    seen = page()
    assert "Stage 1 of 2 (10 %) waits: No request was recorded since 14:05." in seen
    assert "Look why." in seen


@pytest.mark.parametrize(("users", "said"), [(76, "76 of 100 users"), (100, "soaks 30 d")])
def test_the_stage_says_how_many_users_of_its_own_it_waits_for(users: int, said: str) -> None:
    measured(running(), replace(found(), stage_units={"control": 400, "better": users}))
    seen = page()
    assert said in seen
    assert ("of 100 users" in seen) is (users < 100)


@pytest.mark.parametrize("stage", [0, 1])
@pytest.mark.parametrize("users", [76, 262])
def test_once_the_stage_is_over_it_names_users_only_where_some_are_awaited(stage: int, users: int) -> None:
    experiment = running()
    long_ago = timezone.now() - timedelta(days=90)
    Experiment.objects.update(stage_index=stage, stage_entered_at=long_ago, started_at=long_ago)
    measured(experiment, replace(found(), stage_units={"control": 276, "better": users}))
    seen = page()
    then = "promotion is decided" if stage else "coverage goes to"
    assert f"Nothing to do: {then}" in seen
    assert "at the next look" not in seen
    assert ("at the next analysis, once each variant has 100 users of this stage." in seen) is (users < 100)
    assert ("at the next analysis." in seen) is (users >= 100)


def test_the_timeline_and_the_log_follow_the_ramp() -> None:
    experiment = running()
    advance(experiment, ADVANCE, actor=SLUICE)
    halt_by_hand(experiment, actor=Actor("olga", Role.APPROVER), reason="it answers in Latin")
    seen = page()
    log = seen[seen.index("Decision log") :]
    assert (
        log.index("it answers in Latin")
        < log.index("No guardrail is worse")
        < log.index("Started")
        < log.index("Created")
    )
    assert seen.index("done") < seen.index("halted here")


def test_the_log_leaves_out_an_earlier_draft_of_the_same_key() -> None:
    delete(planned(), actor=SLUICE)
    planned()
    assert page().count("Created</span>") == 1


def test_names_that_people_typed_are_text_in_pages_and_drawings() -> None:
    Metric.objects.filter(key="requests-per-user").update(name="<script>alert(1)</script>")
    measured(running(), found())
    seen = page()
    assert "<script>alert" not in seen
    assert "&lt;script&gt;alert(1)" in seen


def test_another_metric_can_be_followed_over_time() -> None:
    experiment = running()
    for seconds in (30, 20, 10):
        measured(experiment, found(), seconds_ago=seconds)
    browser = visitor(Role.VIEWER)
    assert "Relative effect on Requests per user" in text(browser, "/experiments/canary")
    chosen = text(browser, "/experiments/canary?effect=error-rate:better")
    assert "Relative effect on Error rate over time." in chosen


def test_what_changes_around_a_running_experiment_is_in_its_log() -> None:
    experiment = planned()
    edit(endpoint(), {"timeout_seconds": 11}, actor=SLUICE)
    start(experiment, actor=SLUICE)
    edit(endpoint(), {"timeout_seconds": 12, "hosts": ["chat.example"]}, actor=Actor("maria", Role.APPROVER))
    edit(backend("candidate"), {"concurrency": 8}, actor=SLUICE)
    edit(backend("third"), {"concurrency": 7}, actor=SLUICE)
    edit(endpoint(), {"name": "Renamed"}, actor=SLUICE)
    halt_by_hand(experiment, actor=SLUICE, reason="Enough.")
    edit(endpoint(), {"timeout_seconds": 13}, actor=SLUICE)
    seen = page()
    assert 'Changed endpoint</span></span> <span class="reason">chat: hosts, timeout_seconds.' in seen
    assert "by maria" in seen
    assert 'Changed backend</span></span> <span class="reason">candidate: concurrency.' in seen
    assert (seen.count("Changed endpoint"), seen.count("Changed backend")) == (1, 1)


def test_a_long_history_takes_no_more_queries(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    experiment = running()
    for seconds in range(200, 0, -1):
        measured(experiment, found(), seconds_ago=seconds)
    browser = visitor(Role.VIEWER)
    with django_assert_max_num_queries(19):
        text(browser, "/experiments/canary")
