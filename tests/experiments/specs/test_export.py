"""What there is comes as a file that says the same elsewhere, and a file of somebody's is brought up to date."""

import json
from typing import Any

import pytest
from ruamel.yaml import YAML

from routing.models import Endpoint
from tests.experiments.specs.files import WHOLE
from tests.visitors.callers import Caller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]


def exported(caller: Caller, query: str = "") -> str:
    answer = caller.get(f"specs/export{query}")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("application/yaml")
    return str(answer.content.decode())


def read(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def refreshed(caller: Caller, text: str) -> str:
    answer = caller.send("POST", "specs/export", text)
    assert answer.status_code == 200, answer.content
    return str(answer.content.decode())


def test_an_export_changes_nothing_here_and_says_the_same_elsewhere(operator: Caller) -> None:
    operator.send("POST", "specs/apply", WHOLE)
    text = exported(operator)
    assert operator.send("POST", "specs/apply", text).json()["changed"] is False

    operator.send("DELETE", "experiments/large-canary")
    operator.send("DELETE", "endpoints/chat")
    operator.send("DELETE", "layers/checkout")
    for key in ("small", "large"):
        operator.send("DELETE", f"backends/{key}")
    assert operator.send("POST", "specs/apply", text).json()["changed"] is True
    assert read(exported(operator)) == read(text)


def test_one_thing_or_one_kind_is_asked_for(operator: Caller) -> None:
    operator.send("POST", "specs/apply", WHOLE)
    found = read(exported(operator, "?only=experiments/large-canary&only=layers"))
    assert {plural: [each["key"] for each in things] for plural, things in found.items()} == {
        "layers": ["checkout"],
        "experiments": ["large-canary"],
    }
    assert operator.get("specs/export?only=models").status_code == 400
    assert operator.get("specs/export?only=backends/none").status_code == 404


def test_it_comes_as_json_for_those_who_ask(operator: Caller) -> None:
    answer = operator.client.get("/api/v1/specs/export?only=metrics/latency", headers={"accept": "application/json"})
    assert [each["key"] for each in answer.json()["metrics"]] == ["latency"]


def test_a_file_that_says_what_there_is_comes_back_as_it_was(operator: Caller) -> None:
    operator.send("POST", "specs/apply", WHOLE)
    assert refreshed(operator, WHOLE) == WHOLE


def test_only_what_changed_is_changed_and_comments_stay(operator: Caller) -> None:
    operator.send("POST", "specs/apply", WHOLE)
    draft = operator.get("experiments/large-canary/spec").json()
    operator.send("PATCH", "experiments/large-canary", {"plan": {**draft["plan"], "alpha": 0.02, "looks": 5}})
    operator.send("PATCH", "backends/small", {"addresses": ["http://10.0.0.7:8000", "http://10.0.0.8:8000"]})
    operator.send("PATCH", "endpoints/chat", {"rules": []})
    operator.send("PATCH", "endpoints/chat", {"timeout_seconds": 9})
    found = refreshed(operator, WHOLE)
    expected = (
        WHOLE.replace("alpha: 1e-2", "alpha: 0.02")
        .replace("[http://10.0.0.5:8000] ", "[http://10.0.0.7:8000, http://10.0.0.8:8000]")
        .replace("      - key: germany\n        conditions: [x-country is DE]\n        backend: large\n", "")
        .replace("    rules:\n", "    rules: []\n")
        .replace("          role: goal\n", "          role: goal\n      looks: 5\n")
    )
    assert found == expected
    assert operator.send("POST", "specs/plan", found).json()["changed"] is False
    assert Endpoint.objects.get(key="chat").timeout_seconds == 9


def test_what_is_not_there_stays_in_the_file(operator: Caller) -> None:
    assert refreshed(operator, WHOLE) == WHOLE


def test_a_file_in_json_stays_json(operator: Caller) -> None:
    text = json.dumps({"backends": [{"key": "a", "name": "A", "addresses": ["http://10.0.0.1:80"]}]})
    operator.send("POST", "specs/apply", text)
    operator.send("PATCH", "backends/a", {"name": "Ä"})
    assert json.loads(refreshed(operator, text)) == {
        "backends": [{"key": "a", "name": "Ä", "addresses": ["http://10.0.0.1:80"]}]
    }


def test_the_way_in_which_lists_are_indented_stays(operator: Caller) -> None:
    text = "---\nbackends:\n- key: a\n  name: A\n  addresses:\n  - http://10.0.0.1:80\n"
    operator.send("POST", "specs/apply", text)
    operator.send("PATCH", "backends/a", {"name": "B"})
    assert refreshed(operator, text) == text.replace("name: A", "name: B")
