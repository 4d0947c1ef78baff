"""Default guardrails that were redefined or removed measure again what they are for."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.old_databases import insert, migrate

BEFORE, AFTER = "0012_settling_times", "0013_meaning_of_default_guardrails"
MEANING = (
    "type, numerator, denominator, direction, level, cap, window_from_hours, window_to_hours, settling_seconds, "
    "display_unit"
)


def test_they_are_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    migrate(path, BEFORE, "experiments")
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE experiments_metric SET numerator = 'cost', name = 'Mine' WHERE key = 'error-rate'")
        database.execute("UPDATE experiments_metric SET direction = 'increase' WHERE key = 'abandon-rate'")
        database.execute("UPDATE experiments_metric SET settling_seconds = 9e6 WHERE key = 'client-error-rate'")
        database.execute("DELETE FROM experiments_metric WHERE key = 'redirect-rate'")
        database.commit()

        migrate(path, AFTER, "experiments")

        for key, name, version, numerator in (
            ("error-rate", "Mine", 2, "errors"),
            ("client-error-rate", "Client error rate", 2, "client_errors"),
            ("redirect-rate", "Redirect rate", 1, "redirects"),
            ("abandon-rate", "Abandon rate", 2, "abandoned"),
        ):
            query = f"SELECT name, version, {MEANING} FROM experiments_metric WHERE key = ?"  # noqa: S608
            [row] = database.execute(query, (key,))
            fixed = ("ratio", numerator, "requests", "decrease", None, None, 0.0, None, None, "%")
            assert row == (name, version, *fixed)


def plan_of(database: sqlite3.Connection, key: str, frozen_at: str | None, role: str = "") -> int:
    """A plan of an earlier release that lists latency in a role, or not at all."""
    backend = insert(database, "routing_backend", key=key, protocol="openai")
    layer = insert(database, "routing_layer", key=key, salt=key)
    place = {"backend_id": backend, "layer_id": layer, "path_prefix": f"/{key}"}
    endpoint = insert(database, "routing_endpoint", key=key, unit_source="header", entrance="open", **place)
    started = {"kind": "canary", "state": "draft", "traffic": 100}
    experiment = insert(database, "experiments_experiment", key=key, endpoint_id=endpoint, **started)
    times = {"tick_seconds": 10, "maximum_seconds": 3600, "minimum_units": 100, "looks": 20}
    choices = {"spending": "pocock", "switched_off": "[]"}
    rates = {"alpha": 0.05, "halt_alpha": 0.01, "power": 0.8}
    plan = insert(database, "experiments_plan", experiment_id=experiment, **rates, **times, **choices)
    assert plan is not None
    [(latency,)] = database.execute("SELECT id FROM experiments_metric WHERE key = 'latency'").fetchall()
    if role:
        sizes = {"margin": 0.1, "margin_kind": "relative", "minimum_effect": 0.05}
        insert(database, "experiments_planmetric", plan_id=plan, metric_id=latency, role=role, **sizes)
    if frozen_at:
        database.execute("UPDATE experiments_plan SET frozen_at = ? WHERE id = ?", (frozen_at, plan))
    return plan


def test_drafts_get_latency_and_frozen_plans_stay(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    migrate(path, "0016_words", "experiments")
    with closing(sqlite3.connect(path)) as database:
        bare = plan_of(database, "bare", None)
        listed = plan_of(database, "listed", None, "guardrail")
        frozen = plan_of(database, "frozen", "2026-01-01 00:00:00")
        seen = plan_of(database, "seen", "2026-01-01 00:00:00", "observed")
        database.execute("UPDATE experiments_metric SET numerator = 'ttft_ms' WHERE key = 'latency'")
        database.commit()

        migrate(path, "0017_latency_by_default", "experiments")

        rows = "SELECT m.key, p.role, p.margin, p.by_default FROM experiments_planmetric p JOIN experiments_metric m"
        found = {
            plan: database.execute(f"{rows} ON m.id = p.metric_id WHERE plan_id = ? ORDER BY p.id", (plan,)).fetchall()
            for plan in (bare, listed, frozen, seen)
        }
        by_default = ("latency", "guardrail", 0.25, 1)
        assert found == {
            bare: [by_default],
            listed: [("latency-as-defined-here", "guardrail", 0.1, 0), by_default],
            frozen: [],
            seen: [("latency-as-defined-here", "observed", 0.1, 0)],
        }
        [(numerator,)] = database.execute("SELECT numerator FROM experiments_metric WHERE key = 'latency'").fetchall()
        assert numerator == "duration_ms"


def test_a_draft_that_only_watches_latency_has_it_switched_off_by_name(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    migrate(path, "0016_words", "experiments")
    with closing(sqlite3.connect(path)) as database:
        observed = plan_of(database, "observed", None, "observed")
        goal = plan_of(database, "goal", None, "goal")
        listed = plan_of(database, "listed", None, "guardrail")
        database.commit()

        migrate(path, "0017_latency_by_default", "experiments")

        plans = dict(database.execute("SELECT id, switched_off FROM experiments_plan").fetchall())
        assert {plan: json.loads(names) for plan, names in plans.items()} == {
            observed: ["latency"],
            goal: ["latency"],
            listed: [],
        }
        assert database.execute("SELECT COUNT(*) FROM experiments_planmetric").fetchall() == [(3,)]


def test_drafts_get_the_guardrail_of_cut_answers_and_frozen_plans_stay(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    migrate(path, "0021_metric_conditions", "experiments")
    with closing(sqlite3.connect(path)) as database:
        bare = plan_of(database, "bare", None, "guardrail")
        watching = plan_of(database, "watching", None)
        frozen = plan_of(database, "frozen", "2026-01-01 00:00:00", "guardrail")
        [(cut,)] = database.execute("SELECT id FROM experiments_metric WHERE key = 'truncated-rate'").fetchall()
        observed = {"role": "observed", "minimum_effect": 1, "margin_kind": "relative"}
        insert(database, "experiments_planmetric", plan_id=watching, metric_id=cut, **observed)
        database.commit()

        migrate(path, "0022_truncated_by_default", "experiments")

        rows = "SELECT plan_id, role, margin, margin_kind, by_default FROM experiments_planmetric WHERE metric_id = ?"
        assert database.execute(rows, (cut,)).fetchall() == [
            (watching, "observed", 0.0, "relative", 0),
            (bare, "guardrail", 0.02, "absolute", 1),
        ]
        plans = dict(database.execute("SELECT id, switched_off FROM experiments_plan").fetchall())
        assert {plan: json.loads(names) for plan, names in plans.items()} == {
            bare: [],
            watching: ["truncated-rate"],
            frozen: [],
        }


def test_a_metric_of_its_name_that_measured_something_else_keeps_its_own(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    migrate(path, "0021_metric_conditions", "experiments")
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE experiments_metric SET numerator = 'retries' WHERE key = 'truncated-rate'")
        database.commit()

        migrate(path, "0022_truncated_by_default", "experiments")

        named = "SELECT key, numerator FROM experiments_metric WHERE key LIKE 'truncated-rate%' ORDER BY key"
        assert database.execute(named).fetchall() == [
            ("truncated-rate", "truncated"),
            ("truncated-rate-as-defined-here", "retries"),
        ]
