"""A flag and a real edge give a user the same."""

import http.client
import random
from pathlib import Path

import pytest

from routing.ofrep.evaluation import evaluate_all
from tests.routing.ofrep.test_evaluation import TABLE
from tests.servers.envoys import run_envoy

pytestmark = pytest.mark.slow

REQUESTS = 400
CONTEXTS: list[dict[str, str]] = [
    {},
    {"x-country": "DE"},
    {"x-country": "FR"},
    {"x-sluice-variant": "canary/new"},
    {"x-sluice-variant": "german/de"},
    {"x-sluice-variant": "gone/new"},
]


def test_flags_are_what_the_edge_does(tmp_path: Path) -> None:
    chance = random.Random(3)
    asked = {f"user-{number}": chance.choice(CONTEXTS) for number in range(REQUESTS)}
    with run_envoy(tmp_path, TABLE, with_clusters=False) as envoy:
        connection = http.client.HTTPConnection("127.0.0.1", envoy.port)
        for unit, headers in asked.items():
            connection.request("GET", "/chat", headers={**headers, "x-user-id": unit})
            connection.getresponse().read()
        connection.close()
        logged = {line["unit"]: line["facts"] for line in envoy.log_lines(REQUESTS)}

    for unit, headers in asked.items():
        facts = logged[unit]
        flags = evaluate_all(TABLE, unit, headers)
        measured = {flag.key: flag.variant for flag in flags if flag.variant is not None}
        assert measured == ({facts["experiment"]: facts["variant"]} if "experiment" in facts else {})
        assert {flag.metadata["backend"] for flag in flags} == {facts["backend"]}
