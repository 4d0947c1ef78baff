"""What was given back before each arm counted its own rounds stays given back."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.old_databases import insert, migrate

BEFORE, AFTER = "0012_versions_parameters_and_rules", "0013_a_round_an_arm"
ARMS = [{"variant": name, "backend": "b", "start": 0, "end": 5} for name in ("control", "better", "bolder")]


def test_every_candidate_keeps_the_round_of_its_experiment(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    migrate(path, BEFORE)
    with closing(sqlite3.connect(path)) as database:
        backend = insert(database, "routing_backend", key="b", name="b", protocol="openai", addresses="[]")
        layer = insert(database, "routing_layer", key="chat", name="chat", salt="pepper")
        choices = {"unit_source": "header", "entrance": "open", "path_prefix": "/chat"}
        endpoint = insert(database, "routing_endpoint", key="chat", backend_id=backend, layer_id=layer, **choices)
        place = {"endpoint_id": endpoint, "start": 0, "end": 10, "coverage": 10}
        insert(database, "routing_split", experiment="canary", arms=json.dumps(ARMS), guard_round=2, **place)

        migrate(path, AFTER)

        [arms] = database.execute("SELECT arms FROM routing_split").fetchone()
        assert [arm.get("guard_round", 0) for arm in json.loads(arms)] == [0, 2, 2]
        migrate(path, BEFORE)
        [arms, rounds] = database.execute("SELECT arms, guard_round FROM routing_split").fetchone()
        assert (json.loads(arms), rounds) == (ARMS, 2)
