"""An installation of before points of a course were stored shows the effects that its analyses found."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.old_databases import insert, migrate

BEFORE, AFTER = "0017_latency_by_default", "0018_course"
RESULT = {
    "metric": "error-rate",
    "variant": "better",
    "relative": 0.5,
    "control_value": -0.25,
    "relative_interval": {"low": 0.25, "high": None},
    "anytime_interval": {"low": -0.1, "high": 0.3},
}
UNKNOWN = {**RESULT, "metric": "latency", "relative": None}


def an_experiment(database: sqlite3.Connection) -> int | None:
    backend = insert(database, "routing_backend", key="b", name="b", protocol="openai", addresses="[]")
    layer = insert(database, "routing_layer", key="chat", name="chat", salt="pepper")
    choices = {"unit_source": "header", "entrance": "open", "path_prefix": "/chat"}
    endpoint = insert(database, "routing_endpoint", key="chat", backend_id=backend, layer_id=layer, **choices)
    place = {"endpoint_id": endpoint, "traffic": 10_000, "state": "draft", "kind": "canary"}
    return insert(database, "experiments_experiment", key="canary", name="Canary", **place)


def test_they_are_made_of_the_analyses(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    migrate(path, BEFORE, "experiments")
    with closing(sqlite3.connect(path)) as database:
        experiment = an_experiment(database)
        evidence = {"units": {"control": 3, "better": 4}, "requests": {"control": 30, "better": 40}}
        for number, results in enumerate([{"metrics": [RESULT, UNKNOWN]}, {"metrics": 3}]):
            insert(
                database,
                "experiments_analysis",
                experiment_id=experiment,
                at=f"2026-03-01 12:00:0{number}",
                results=json.dumps(results),
                evidence=json.dumps(evidence),
                lake_version="{}",
            )

        migrate(path, AFTER, "experiments")

        [(at, content)] = database.execute("SELECT at, content FROM experiments_coursepoint").fetchall()
        assert at == "2026-03-01 12:00:00"
        assert json.loads(content) == {
            "arms": {"control": [30, 3, None], "better": [40, 4, None]},
            "effects": {"error-rate": {"better": [0.5, 0.25, None, -0.4, 1.2]}},
        }
