"""Whatever share of the users a form takes, its experiment starts and each variant has users."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.audit.actors import SLUICE
from controlplane.problems.errors import InvalidInput
from experiments.actions.create import create
from experiments.actions.halt import halt_by_hand
from experiments.actions.start import start
from experiments.models import Experiment
from experiments.plan.spec import read_spec
from routing.models import Split
from tests.factories.drafts import backend, draft_data, endpoint

pytestmark = pytest.mark.django_db


@given(
    st.integers(1, 200),
    st.lists(st.sampled_from([1, 2, 3, 5, 50, 1000]), min_size=2, max_size=4),
    st.sampled_from([0.01, 1, 100]),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_created_can_start(buckets: int, weights: list[int], coverage: float) -> None:
    endpoint()
    backend("candidate")
    key = f"drawn-{Experiment.objects.count()}"
    # One that has a twentieth of the users at least, as it must.
    control, *others = sorted(weights, reverse=True)
    plan = {**draft_data()["plan"], "stages": [{"coverage": coverage, "soak_seconds": 1}]}
    form = draft_data(
        key,
        traffic=buckets / 100,
        control={"key": "control", "backend": "stable", "weight": control},
        candidates=[{"key": f"c-{n}", "backend": "candidate", "weight": w} for n, w in enumerate(others)],
        plan=plan,
    )
    refused: set[str] = set()
    try:
        experiment = create(read_spec(form), actor=SLUICE)
    except InvalidInput as error:
        refused = {problem.field for problem in error.problems}
    else:
        start(experiment, actor=SLUICE)
        assert all(arm["start"] < arm["end"] for arm in Split.objects.get(experiment=key).arms)
        halt_by_hand(experiment, actor=SLUICE, reason="the next one needs its users")
    assert refused <= {"traffic"}
