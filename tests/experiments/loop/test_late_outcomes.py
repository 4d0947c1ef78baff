"""Labels that come later in the candidate: it is neither halted nor promoted for that, and the page says so."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from controlplane.audit.actors import SLUICE
from experiments.actions.start import start
from experiments.decide import DecisionKind
from experiments.loop.reconcile import reconcile
from experiments.metrics.define_metric import define_metric
from experiments.models import Analysis, Experiment, Metric
from routing.lake.schema import OUTCOMES, REQUESTS
from tests.experiments.loop.evidence import fresh
from tests.factories.drafts import draft, draft_data
from tests.factories.rows import outcome_row, request_row, store

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

USERS = 800
SECONDS = 400.0


@pytest.fixture
def lake(own_lake: str) -> str:
    """An empty lake that analyses read."""
    return own_lake


def running(**metric: Any) -> Experiment:
    """An experiment with thumbs-up as a guardrail without a margin beside those of every draft, on its first stage."""
    fields = {"key": "thumbs", "name": "Thumbs", "type": "ratio", "numerator": "outcome_count(thumb)"}
    define_metric(Metric(**fields, denominator="requests", direction="increase", **metric), actor=SLUICE)
    plan = draft_data()["plan"]
    plan["metrics"].append({"metric": "thumbs", "role": "guardrail", "margin": 0})
    experiment = draft(plan=plan)
    start(experiment, actor=SLUICE)
    return fresh(experiment)


def traffic(experiment: Experiment, late: dict[str, float], *, shares: float = 0.5) -> Iterator[tuple[str, Any]]:
    """Requests of both arms over 400 s, and thumbs for so many of them, so many seconds later."""
    assert experiment.started_at is not None
    rng = np.random.default_rng(8)
    for place, (arm, seconds) in enumerate(late.items()):
        for number in range(USERS):
            asked = experiment.started_at + timedelta(seconds=float(rng.random() * SECONDS))
            name = f"{arm}-{number}"
            fields = {"unit": place * USERS + number, "experiment": experiment.key, "variant": arm, "stage": 0}
            yield REQUESTS.name, request_row(name, time=asked.isoformat(), **fields)
            if rng.random() < shares:
                come = (asked + timedelta(seconds=1.0 + seconds)).isoformat()
                owner = {"request_id": name, "unit": None, "name": "thumb"}
                yield OUTCOMES.name, outcome_row(f"t-{name}", time=come, received_at=come, **owner)


def fill(lake: str, experiment: Experiment, late: dict[str, float]) -> None:
    rows = list(traffic(experiment, late))
    for table in (REQUESTS, OUTCOMES):
        store(lake, table, [row for name, row in rows if name == table.name])


def decided(experiment: Experiment, seconds: float) -> tuple[str, str]:
    decision = reconcile(fresh(experiment), now=_since_start(experiment, seconds))
    newest = Analysis.objects.order_by("-id")[0]
    thumbs = next(each for each in newest.results["metrics"] if each["metric"] == "thumbs")
    kind = decision.kind if decision is not None else fresh(experiment).decisions.latest("id").kind
    return kind, thumbs["note"]


def _since_start(experiment: Experiment, seconds: float) -> datetime:
    assert experiment.started_at is not None
    return experiment.started_at + timedelta(seconds=seconds)


@pytest.mark.parametrize("ticks", [2, 10])
def test_later_labels_of_the_candidate_hold_and_never_halt(lake: str, ticks: int) -> None:
    experiment = running()
    fill(lake, experiment, {"control": 0.0, "better": 10.0 * ticks})
    notes = []
    for seconds in (20, 60, 120, 250, 330, 420):
        kind, note = decided(experiment, seconds)
        assert kind == DecisionKind.HOLD, seconds
        notes.append(note)
    assert "Outcomes thumb come later" in notes[-1]
    last = fresh(experiment).decisions.latest("id")
    assert last.code == "late-outcomes"
    assert "Outcomes thumb come later to requests of better than to those of control." in last.reason


def test_a_stated_time_in_which_all_have_come_lets_it_go_on(lake: str) -> None:
    experiment = running(settling_seconds=60)
    fill(lake, experiment, {"control": 0.0, "better": 20.0})
    decided(experiment, 420)
    assert Analysis.objects.get().results["findings"] == []


def test_fewer_thumbs_that_come_as_late_as_the_control_s_halt(lake: str) -> None:
    experiment = running()
    rows = list(traffic(experiment, {"control": 50.0, "better": 50.0}))
    kept = [row for name, row in rows if name == OUTCOMES.name and not row["id"].startswith("t-better-1")]
    kept = [row for row in kept if not row["id"].startswith(("t-better-2", "t-better-3"))]
    store(lake, REQUESTS, [row for name, row in rows if name == REQUESTS.name])
    store(lake, OUTCOMES, kept)
    assert decided(experiment, 420)[0] == DecisionKind.HALT
