"""Default guardrails that were redefined or removed measure again what they are for."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.old_databases import migrate

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
