"""Evidence is carried from tick to tick, and compared with the lake now and then."""

import json
import sqlite3
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from controlplane.audit.actors import SLUICE
from experiments.actions.halt import halt_by_hand
from experiments.actions.start import start
from experiments.loop.analyse import measure as measured
from experiments.loop.carry import carried_of, evidence_is_right
from experiments.loop.jobs import check_evidence
from experiments.loop.reconcile import reconcile
from experiments.models import Experiment, Metric, State
from experiments.plan.as_judged import pure_plan
from experiments.stats.core.types import Direction, MetricType
from routing.lake.schema import REQUESTS
from tests.experiments.loop.evidence import fresh, later, measure
from tests.factories.drafts import draft, draft_data
from tests.factories.rows import request_row, store

pytestmark = pytest.mark.django_db

TICK = timedelta(seconds=10)


@pytest.fixture(autouse=True)
def lake(own_lake: str) -> str:
    return own_lake


@pytest.fixture
def experiment() -> Experiment:
    experiment = draft()
    start(experiment, actor=SLUICE)
    return experiment


def file_of(experiment: Experiment, now: datetime) -> Path:
    return carried_of(experiment, now).path


def forge(path: Path) -> None:
    """Have the file tell of fewer errors than there were."""
    with sqlite3.connect(path) as connection:
        [(content,)] = connection.execute("SELECT content FROM sums")
        told = json.loads(content)
        told["rows"] = [
            [moment, {arm: {name: value // 2 for name, value in row.items()} for arm, row in arms.items()}]
            for moment, arms in told["rows"]
        ]
        connection.execute("UPDATE sums SET content = ?", (json.dumps(told),))
    connection.close()


def test_each_tick_carries_on_what_the_one_before_left(lake: str, experiment: Experiment) -> None:
    reconcile(experiment, now=later(experiment, 10))
    assert file_of(experiment, later(experiment, 10)).exists()
    measure(lake, experiment, control_errors=0, candidate_errors=150)
    reconcile(fresh(experiment), now=later(experiment, 620))
    assert fresh(experiment).state == State.HALTED


def test_what_a_tick_left_wrong_is_found_and_made_anew(lake: str) -> None:
    """Also beside metrics that are not carried: what these need known is summed with the others."""
    own = {"type": MetricType.QUANTILE, "numerator": "ttft_ms", "level": 0.9, "direction": Direction.DECREASE}
    Metric.objects.create(key="slow-start", name="slow", **own)
    plan = draft_data()["plan"]
    observed = {"metric": "slow-start", "role": "observed"}
    experiment = draft(plan={**plan, "metrics": [*plan["metrics"], observed]})
    start(experiment, actor=SLUICE)
    now = later(experiment, 620)
    measure(lake, experiment, control_errors=3, candidate_errors=3)
    reconcile(fresh(experiment), now=now)
    forge(file_of(experiment, now))
    assert not evidence_is_right(fresh(experiment), now)
    assert evidence_is_right(fresh(experiment), now)


def test_what_an_edge_with_a_fast_clock_sent_is_carried_on(lake: str, experiment: Experiment) -> None:
    """Once it is read, its file is gone from the disk, and ticks go on all the same."""
    ahead = later(experiment, 10) + 3 * TICK
    store(lake, REQUESTS, [request_row("fast", unit=1, time=ahead.isoformat(), experiment=experiment.key)])
    for seconds in (10, 20, 30, 40, 50):
        found = measured(fresh(experiment), pure_plan(experiment), now=later(experiment, seconds))
        assert found.collected.requests == {"control": 1}
        for path in Path(lake, "requests").glob("day=*/*.parquet"):
            path.unlink()


def test_the_command_names_what_differed(lake: str, experiment: Experiment) -> None:
    measure(lake, experiment, control_errors=3, candidate_errors=3)
    assert checked() == (0, "")
    forge(file_of(experiment, later(experiment, 620)))
    code, said = checked()
    assert (code, experiment.key in said) == (1, True)
    assert checked() == (0, "")


def checked() -> tuple[int, str]:
    errors = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("check_evidence", stdout=StringIO(), stderr=errors)
    assert isinstance(end.value.code, int)
    return end.value.code, errors.getvalue()


def test_what_an_ended_experiment_carried_is_removed(experiment: Experiment) -> None:
    reconcile(experiment, now=later(experiment, 10))
    path = file_of(experiment, later(experiment, 10))
    halt_by_hand(fresh(experiment), actor=SLUICE, reason="enough")
    check_evidence()
    assert not path.exists()
