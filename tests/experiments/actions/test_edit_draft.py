"""A draft is changed as a whole or not at all."""

from typing import Any

import pytest

from controlplane.audit.actors import SLUICE
from controlplane.models import AuditEvent
from controlplane.problems.errors import Conflict, InvalidInput, Missing, Outdated, SluiceError
from experiments.actions.delete import delete
from experiments.actions.edit_draft import edit_draft
from experiments.actions.halt import halt_by_hand
from experiments.actions.start import start
from experiments.models import Experiment, Metric, PlanMetric, Stage, State
from experiments.plan.as_written import as_written
from routing.models import Split
from routing.resources.edit import edit
from routing.resources.retire import retire
from tests.factories.drafts import backend, draft, draft_data, endpoint

pytestmark = pytest.mark.django_db

TOKENS = {"metric": "completion-tokens", "role": "goal", "minimum_effect": 0.1}
OTHER_PLAN = {"stages": [{"coverage": 50, "soak_seconds": 5}], "metrics": [TOKENS], "looks": 3, "spending": "pocock"}


def now() -> Experiment:
    return Experiment.objects.get(key="canary")


def changed(**changes: Any) -> dict[str, Any]:
    edit_draft(draft(), changes, actor=SLUICE)
    return as_written(now())


def test_what_is_sent_is_replaced_and_all_else_stays() -> None:
    before = as_written(draft())
    edit_draft(now(), {"name": "Another", "traffic": 12.5, "guard": None}, actor=SLUICE)
    assert as_written(now()) == {**before, "name": "Another", "traffic": 12.5, "guard": None}


def test_a_plan_is_replaced_with_all_its_rows() -> None:
    after = changed(plan=OTHER_PLAN)["plan"]
    assert (after["stages"], after["looks"], after["spending"]) == (OTHER_PLAN["stages"], 3, "pocock")
    assert (after["maximum_seconds"], after["switched_off"]) == (14 * 86_400, [])
    assert Stage.objects.count() == 1
    by_default = set(PlanMetric.objects.filter(by_default=True).values_list("metric__key", flat=True))
    assert by_default == {
        "error-rate",
        "client-error-rate",
        "redirect-rate",
        "abandon-rate",
        "truncated-rate",
        "latency",
    }


def test_variants_come_and_go() -> None:
    backend("third")
    candidates = [{"key": "zebra", "backend": "third"}, {"key": "better", "backend": "candidate", "weight": 4}]
    after = changed(candidates=candidates)["candidates"]
    assert [(variant["key"], variant["backend"], variant["weight"]) for variant in after] == [
        ("zebra", "third", 1),
        ("better", "candidate", 4),
    ]
    assert now().variants.count() == 3


def test_who_changed_what_is_kept() -> None:
    changed(hypothesis="It is better.")
    event = AuditEvent.objects.get(verb="edit")
    assert {name for name in event.after if event.after[name] != event.before[name]} == {"hypothesis"}
    assert (event.object_type, event.object_key, event.actor) == ("experiment", "canary", "sluice")


def test_what_changes_nothing_leaves_no_trace() -> None:
    changed(**draft_data())
    assert now().version == 1
    assert not AuditEvent.objects.filter(verb="edit").exists()


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"surprise": 1}, "invalid-experiment", "surprise"),
    ({"traffic": 0.01}, "invalid-experiment", "traffic"),
    ({"plan": {**OTHER_PLAN, "alpha": 0.7}}, "invalid-experiment", "plan.alpha"),
    ({"candidates": []}, "invalid-experiment", "candidates"),
    ({"key": "renamed"}, "key-fixed", "key"),
    ({"endpoint": "nothing"}, "not-found", "endpoint"),
    ({"candidates": [{"key": "better", "backend": "nothing"}]}, "not-found", "candidates.0.backend"),
    ({"candidates": [{"key": "better", "backend": "retired"}]}, "backend-retired", "candidates.0.backend"),
    ({"candidates": [{"key": "better", "backend": "other-kind"}]}, "kinds-differ", "candidates.0.backend"),
    ({"plan": {**OTHER_PLAN, "metrics": [{**TOKENS, "metric": "nothing"}]}}, "not-found", "plan.metrics.0.metric"),
]


@pytest.mark.parametrize(("changes", "code", "field"), REFUSED)
def test_what_could_not_be_created_is_no_change_either(changes: dict[str, Any], code: str, field: str) -> None:
    before = as_written(draft())
    retire(backend("retired"), actor=SLUICE)
    edit(backend("other-kind"), {"protocol": "torchserve"}, actor=SLUICE)
    with pytest.raises(InvalidInput) as caught:
        edit_draft(now(), changes, actor=SLUICE)
    assert caught.value.code == code
    assert [problem.field for problem in caught.value.problems] == [field]
    assert (as_written(now()), now().version) == (before, 1)
    assert not AuditEvent.objects.filter(verb="edit", object_type="experiment").exists()


def test_once_it_has_started_its_plan_stays() -> None:
    def refused() -> str:
        with pytest.raises(Conflict) as caught:
            edit_draft(now(), {"name": "Another"}, actor=SLUICE)
        assert caught.value.next_step
        return caught.value.code

    start(draft(), actor=SLUICE)
    assert refused() == "not-a-draft"
    halt_by_hand(now(), actor=SLUICE, reason="looks wrong")
    assert refused() == "not-a-draft"
    assert now().name == "A canary"


@pytest.mark.parametrize("act", [start, delete])
def test_what_was_not_seen_is_neither_started_nor_deleted(act: Any) -> None:
    """A draft that somebody else changed since it was read is another one."""
    seen = draft()
    edit_draft(now(), {"traffic": 50}, actor=SLUICE)
    with pytest.raises(SluiceError) as caught:
        act(seen, actor=SLUICE, **({"version": seen.version} if act is delete else {}))
    assert caught.value.code in ("overtaken", "outdated")
    assert now().state == State.DRAFT
    act(now(), actor=SLUICE)


def test_two_who_change_the_same_do_not_undo_each_other() -> None:
    seen = draft()
    edit_draft(seen, {"name": "Theirs"}, actor=SLUICE, version=seen.version)
    with pytest.raises(Outdated):
        edit_draft(seen, {"traffic": 50}, actor=SLUICE, version=seen.version)
    edit_draft(seen, {"traffic": 50}, actor=SLUICE)
    assert (now().name, now().traffic, now().version) == ("Theirs", 5000, 3)


def test_a_draft_that_is_gone_is_not_made_anew() -> None:
    seen = draft()
    delete(now(), actor=SLUICE)
    with pytest.raises(Missing):
        edit_draft(seen, {"name": "Mine"}, actor=SLUICE)
    assert not Experiment.objects.exists()


def test_what_starts_is_what_was_changed_last() -> None:
    endpoint("other")
    edit_draft(draft(), {"endpoint": "other", "traffic": 20, "plan": OTHER_PLAN}, actor=SLUICE)
    start(now(), actor=SLUICE)
    split = Split.objects.get(experiment="canary")
    assert (split.endpoint.key, now().plan.frozen_at is not None) == ("other", True)
    assert Metric.objects.get(key="completion-tokens").plans.get().by_default is False
