"""Layers by REST."""

import pytest

from controlplane.audit.actors import SLUICE
from experiments.actions.start import start
from tests.factories.drafts import draft, endpoint
from tests.visitors.callers import Caller


@pytest.fixture(autouse=True)
def _chat(db: None) -> None:
    endpoint()


def test_endpoints_join_a_layer(operator: Caller) -> None:
    made = operator.send("POST", "layers", {"key": "shop", "name": "Shop", "holdout": 2.5}).json()
    assert (made["holdout"], made["endpoints"]) == (2.5, [])
    assert made["salt"]
    assert operator.send("PATCH", "endpoints/chat", {"layer": "shop"}).json()["layer"] == "shop"
    assert operator.get("layers/shop").json()["endpoints"] == ["chat"]
    assert operator.send("PATCH", "endpoints/chat", {"layer": None}).json()["layer"] == "chat"


@pytest.mark.parametrize("holdout", [-1, 100, "many"])
def test_a_holdout_is_a_share(operator: Caller, holdout: object) -> None:
    answer = operator.send("POST", "layers", {"key": "shop", "name": "Shop", "holdout": holdout})
    assert (answer.status_code, answer.json()["problems"][0]["field"]) == (400, "holdout")


@pytest.mark.parametrize(
    ("path", "change", "code"),
    [
        ("layers/chat", {"salt": "another"}, "layer-in-use"),
        ("layers/chat", {"holdout": 0.01}, "holdout-taken"),
        ("endpoints/chat", {"layer": "search"}, "endpoint-in-use"),
    ],
)
def test_nobody_is_moved_while_an_experiment_runs(
    operator: Caller, path: str, change: dict[str, object], code: str
) -> None:
    endpoint("search")
    start(draft(), actor=SLUICE)
    answer = operator.send("PATCH", path, change)
    assert (answer.status_code, answer.json()["code"]) == (409, code)
