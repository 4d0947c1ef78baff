"""Triggers that make the database itself refuse to rewrite history."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

_SQLITE = """
CREATE TRIGGER {table}_{verb}_refused BEFORE {verb} ON {table} FOR EACH ROW WHEN {condition}
BEGIN SELECT RAISE(ABORT, '{table} rows are append-only'); END
"""
_POSTGRES = (
    """
CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {condition} THEN
        RAISE EXCEPTION '{table} rows are append-only' USING ERRCODE = '23514';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$
""",
    """
CREATE TRIGGER {table}_{verb}_refused BEFORE {verb} ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_append_only()
""",
)


class AppendOnly(migrations.RunPython):
    """Migration operation: refuse UPDATE and DELETE on `table` where `condition` on OLD holds."""

    def __init__(self, table: str, *, condition: str = "1 = 1", verbs: tuple[str, ...] = ("UPDATE", "DELETE")) -> None:
        def guard(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
            templates = (_SQLITE,) if editor.connection.vendor == "sqlite" else _POSTGRES
            for verb in verbs:
                for template in templates:
                    editor.execute(template.format(table=table, verb=verb, condition=condition))

        def release(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
            suffix = "" if editor.connection.vendor == "sqlite" else f" ON {table}"
            for verb in verbs:
                editor.execute(f"DROP TRIGGER {table}_{verb}_refused{suffix}")

        super().__init__(guard, release)

    def released(self) -> migrations.RunPython:
        """The operation that lifts the guard, for a migration that rebuilds the table and guards it again at its end.

        SQLite rebuilds a table to change it, which it cannot while a trigger reads it.
        """
        assert self.reverse_code is not None  # noqa: S101 - given above
        return migrations.RunPython(self.reverse_code, self.code)
