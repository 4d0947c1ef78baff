"""The database itself refuses to rewrite history."""

import pytest
from django.db import DatabaseError, models, transaction

from controlplane.audit.actors import SLUICE
from controlplane.models import AuditEvent
from experiments.actions.halt import halt_by_hand
from experiments.actions.start import start
from experiments.models import Analysis, Decision, Experiment, Plan, PlanMetric, Stage, State
from routing.models import RoutingTable
from tests.factories.drafts import draft

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def halted() -> Experiment:
    experiment = draft()
    start(experiment, actor=SLUICE)
    halt_by_hand(experiment, actor=SLUICE, reason="looks wrong")
    return experiment


def refused(rows: "models.QuerySet[models.Model]", **changes: object) -> bool:
    try:
        with transaction.atomic():
            rows.update(**changes) if changes else rows._raw_delete(rows.db)  # type: ignore[attr-defined,unused-ignore]
    except DatabaseError:
        return True
    return False


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        (AuditEvent, {"reason": "another"}),
        (RoutingTable, {"content": "forged"}),
        (Decision, {"reason": "another"}),
        (Plan, {"alpha": 0.4}),
        (Stage, {"coverage": 1}),
        (PlanMetric, {"margin": 9.0}),
    ],
)
@pytest.mark.usefixtures("halted")
def test_rows_can_neither_be_changed_nor_deleted(model: type[models.Model], changes: dict[str, object]) -> None:
    rows = model._default_manager.all()
    assert rows.exists()
    assert refused(rows, **changes)
    assert refused(rows)


def test_a_draft_plan_can_still_be_changed() -> None:
    draft()
    assert not refused(Stage.objects.all(), soak_seconds=1)
    assert not refused(Plan.objects.all(), alpha=0.1)


def test_an_analysis_can_be_thinned_out_but_not_changed(halted: Experiment) -> None:
    assert halted.started_at is not None
    analysis = Analysis(
        experiment=halted,
        at=halted.started_at,
        look=False,
        stage_index=0,
        results={},
        evidence={},
        lake_version={},
        table_version=1,
        code_version="1",
    )
    analysis.save()
    assert refused(Analysis.objects.all(), look=True)
    assert not refused(Analysis.objects.all())


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "nonsense"},
        {"state": State.PROMOTED},
        {"state": State.PAUSED},
        {"state_reason": ""},
        {"started_at": None},
        {"traffic": 10_001},
    ],
)
def test_constraints_hold_what_must_hold(halted: Experiment, changes: dict[str, object]) -> None:
    assert refused(Experiment.objects.filter(pk=halted.pk), **changes)


def test_an_experiment_has_one_control() -> None:
    experiment = draft()
    assert refused(experiment.variants.all(), is_control=True)
