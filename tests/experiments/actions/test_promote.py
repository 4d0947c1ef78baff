"""What a promotion gives, and to whom: all that a candidate is, and nobody outside of its audience."""

from typing import Any

import pytest

from controlplane.audit.actors import SLUICE
from controlplane.models import AuditEvent
from controlplane.problems.errors import Conflict
from experiments.actions.promote import promote, promote_by_hand
from experiments.actions.start import start
from experiments.decide import Decision, DecisionKind
from experiments.models import Experiment
from experiments.presenters.reads import verdict
from routing.allocation.assign import Assignment, assign
from routing.kill_switch.stop_experiments import stop_experiments
from routing.models import Endpoint, Split
from routing.publishing.newest_table import desired_table
from routing.resources.edit import edit
from routing.resources.switch import switch
from routing.table import MOST_RULES, Parameters
from tests.factories.drafts import backend, draft, endpoint

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

GERMANY = ["x-country is DE"]
GERMAN = {"x-country": "DE"}
FRENCH = {"x-country": "FR"}
V2 = Parameters((("x-prompt", "v2"),), (("temperature", "0.2"),))
PROMOTE = Decision(DecisionKind.PROMOTE, "goals-met", "It is better.", variant="better")


def ran(key: str, where: str = "stable", **changes: Any) -> Experiment:
    """A running experiment whose candidate sets a header and a query parameter."""
    backend(where)
    candidate = {"key": "better", "backend": where, "headers": {"x-prompt": "v2"}, "query": {"temperature": "0.2"}}
    experiment = draft(key, **{"traffic": 10, "candidates": [candidate], **changes})
    start(experiment, actor=SLUICE)
    return experiment


def promoted(key: str, where: str = "stable", **changes: Any) -> Experiment:
    """The same, promoted by Sluice itself."""
    experiment = ran(key, where, **changes)
    promote(experiment, PROMOTE, actor=SLUICE)
    return experiment


def chat() -> Endpoint:
    return Endpoint.objects.get(key="chat")


def given(headers: dict[str, str], unit: str | None = None) -> tuple[str, Parameters]:
    found = assigned(headers, unit)
    return found.backend, found.parameters


def assigned(headers: dict[str, str], unit: str | None = None) -> Assignment:
    [table] = desired_table(version=1).endpoints
    return assign(table, unit, headers)


def arms(key: str) -> dict[str, dict[str, str]]:
    """The headers of each arm of a running experiment."""
    return {arm["variant"]: arm["headers"] for arm in Split.objects.get(experiment=key).arms}


def test_a_variant_that_differs_in_parameters_alone_reaches_all_users() -> None:
    experiment = promoted("prompt")

    assert given({}) == given({}, "ada") == ("stable", V2)
    event = AuditEvent.objects.get(verb="promote", object_type="endpoint")
    assert event.before == {"headers": {}, "query": {}}
    assert event.after == {"headers": {"x-prompt": "v2"}, "query": {"temperature": "0.2"}}
    assert (event.reason, chat().version) == ("It is better.", 2)
    assert verdict(experiment) == "Promoted better: It is better."


def test_what_the_endpoint_sets_already_stays_beneath() -> None:
    edit(endpoint(), {"headers": {"X-Prompt": "v1", "x-style": "dry"}}, actor=SLUICE)

    promoted("prompt")

    assert chat().headers == {"x-style": "dry", "x-prompt": "v2"}


def test_who_wins_for_an_audience_wins_for_it_alone() -> None:
    experiment = promoted("german", "candidate", audience=GERMANY)

    assert given(GERMAN) == given(GERMAN, "ada") == ("candidate", V2)
    assert given(FRENCH) == given({}, "ada") == ("stable", Parameters())
    assert (assigned(GERMAN).rule, assigned(FRENCH).rule) == ("german", None)
    assert chat().backend.key == "stable"
    event = AuditEvent.objects.get(verb="promote", object_type="endpoint")
    assert (event.before, [rule["key"] for rule in event.after["rules"]]) == ({"rules": []}, ["german"])
    assert verdict(experiment) == "Promoted better for users of chat who meet x-country is DE: It is better."


def test_what_a_promotion_would_do_is_said_before_the_start() -> None:
    endpoint()
    assert verdict(draft("everybody")).endswith("Its winner is for all users of chat.")
    said = verdict(draft("german", audience=GERMANY))
    assert "Its winner is for users of chat who meet x-country is DE;" in said
    assert "all others keep what they have, unless a person promotes for everybody." in said


def test_who_has_a_rule_keeps_it_when_another_wins_and_that_is_said() -> None:
    promoted("german", "candidate", audience=GERMANY)
    said = verdict(draft("waiting"))
    assert "Its winner is for users of chat whom no rule concerns;" in said
    assert "those of german (x-country is DE) take part too, and keep what their rule says." in said

    experiment = promoted("everybody", "faster")

    assert (given(GERMAN)[0], given(FRENCH)[0]) == ("candidate", "faster")
    assert verdict(experiment) == "Promoted better for users of chat whom no rule concerns: It is better."


def test_a_person_may_promote_what_an_audience_tried_for_everybody() -> None:
    experiment = ran("german", "candidate", audience=GERMANY)

    promote_by_hand(experiment, actor=SLUICE, reason="The board says so.", everybody=True)

    assert given(GERMAN) == given({}) == ("candidate", V2)
    assert experiment.decisions.get().code == "by-hand-for-everybody"
    assert verdict(experiment) == "Promoted better: The board says so."


def test_for_everybody_ends_the_rule_of_the_same_audience_alone() -> None:
    promoted("german", "candidate", audience=GERMANY)
    promoted("team", "faster", audience=["x-plan is team"])
    experiment = ran("again", "fastest", audience=GERMANY)

    promote_by_hand(experiment, actor=SLUICE, reason="The board says so.", everybody=True)

    assert [rule["key"] for rule in chat().rules] == ["team"]
    assert given(GERMAN) == given({}) == ("fastest", V2)


def test_by_hand_it_is_for_the_audience_unless_said() -> None:
    promote_by_hand(ran("german", "candidate", audience=GERMANY), actor=SLUICE, reason="The board says so.")

    assert (given(GERMAN)[0], given({})[0]) == ("candidate", "stable")


@pytest.mark.database
def test_a_second_winner_for_the_same_audience_takes_the_place_of_the_first() -> None:
    promoted("first", "candidate", audience=["x-country is DE", "x-plan is team"])
    colder = {"key": "better", "backend": "candidate", "headers": {"x-style": "dry"}}

    promoted("second", audience=["x-plan is team", "x-country is DE"], candidates=[colder])

    [rule] = chat().rules
    assert (rule["key"], rule["headers"]) == ("second", {"x-prompt": "v2", "x-style": "dry"})


def test_the_latest_winner_comes_first() -> None:
    promoted("german", "candidate", audience=GERMANY)
    promoted("team", "faster", audience=["x-plan is team"])

    assert [rule["key"] for rule in chat().rules] == ["team", "german"]
    assert given({**GERMAN, "x-plan": "team"})[0] == "faster"


def test_a_rule_by_hand_of_the_same_name_is_kept() -> None:
    by_hand = {"key": "german", "conditions": ["x-vip is present"], "backend": "stable"}
    edit(endpoint(), {"rules": [by_hand]}, actor=SLUICE)

    promoted("german", "candidate", audience=GERMANY)

    assert [rule["key"] for rule in chat().rules] == ["german-2", "german"]
    assert chat().rules[1] == by_hand


def test_a_later_experiment_measures_who_has_a_rule() -> None:
    promoted("german", "candidate", audience=GERMANY)

    ran("everybody", "faster", traffic=100)

    units = [f"user-{number}" for number in range(200)]
    variants = {assigned(GERMAN, unit).variant for unit in units}
    assert variants == {None, "control", "better"}
    assert {assigned(GERMAN, unit).rule for unit in units if assigned(GERMAN, unit).variant} == {None}
    assert {given(GERMAN, unit)[0] for unit in units if assigned(GERMAN, unit).variant is None} == {"candidate"}


def test_arms_begin_with_what_their_users_get() -> None:
    edit(endpoint(), {"headers": {"x-style": "dry"}}, actor=SLUICE)
    promoted("german", audience=GERMANY)

    ran("everybody")
    ran(
        "germans",
        audience=GERMANY,
        candidates=[{"key": "better", "backend": "candidate", "headers": {"X-Style": "wet"}}],
    )

    assert arms("everybody") == {"control": {"x-style": "dry"}, "better": {"x-style": "dry", "x-prompt": "v2"}}
    assert arms("germans") == {
        "control": {"x-style": "dry", "x-prompt": "v2"},
        "better": {"x-prompt": "v2", "X-Style": "wet"},
    }


def test_who_is_in_an_experiment_keeps_what_they_get_when_another_is_promoted() -> None:
    ran("other", candidates=[{"key": "better", "backend": "candidate"}])
    before = arms("other")

    promoted("prompt")

    assert arms("other") == before == {"control": {}, "better": {}}


def test_a_switch_back_returns_the_parameters_too() -> None:
    edit(endpoint(standby="candidate"), {"headers": {"x-prompt": "v1"}}, actor=SLUICE)
    promoted("prompt", "candidate")
    assert given({}) == ("candidate", V2)

    switch(chat(), actor=SLUICE)
    assert given({}) == ("stable", Parameters((("x-prompt", "v1"),)))
    event = AuditEvent.objects.get(verb="switch")
    assert (event.after["headers"], event.after["standby_headers"]) == ({"x-prompt": "v1"}, {"x-prompt": "v2"})

    switch(chat(), actor=SLUICE)
    assert given({}) == ("candidate", V2)


def test_a_standby_keeps_its_parameters_when_another_backend_is_promoted() -> None:
    edit(endpoint(standby="warm"), {"standby_headers": {"x-prompt": "warm"}}, actor=SLUICE)
    promoted("prompt")

    switch(chat(), actor=SLUICE)

    assert given({}) == ("warm", Parameters((("x-prompt", "warm"),)))


def test_what_was_promoted_can_be_taken_back_by_hand() -> None:
    promote_by_hand(ran("prompt"), actor=SLUICE, reason="looks right")
    promoted("german", "candidate", audience=GERMANY)
    latest = AuditEvent.objects.filter(verb="promote", object_type="endpoint").first()
    assert latest is not None

    assert given(GERMAN) == ("candidate", V2)
    edit(chat(), latest.before, actor=SLUICE)
    assert given(GERMAN) == given({}) == ("stable", V2)

    first = AuditEvent.objects.filter(verb="promote", object_type="endpoint").last()
    assert first is not None
    edit(chat(), first.before, actor=SLUICE)
    assert given({}) == ("stable", Parameters())


def test_the_kill_switch_leaves_what_was_promoted() -> None:
    promoted("german", "candidate", audience=GERMANY)
    ran("everybody", "faster")

    stop_experiments(chat(), actor=SLUICE, reason="looks wrong")

    assert (given(GERMAN, "ada"), given({}, "ada")) == (("candidate", V2), ("stable", Parameters()))


def test_an_experiment_whose_winner_would_find_no_place_does_not_start() -> None:
    rules = [
        {"key": f"rule-{number}", "conditions": [f"x-plan is {number}"], "backend": "stable"}
        for number in range(MOST_RULES)
    ]
    edit(endpoint(), {"rules": rules}, actor=SLUICE)

    with pytest.raises(Conflict) as refusal:
        ran("german", audience=GERMANY)
    assert refusal.value.code == "rules-full"
    ran("third", audience=["x-plan is 3"])
    ran("everybody")
