"""What pages show over time has rows of its own, made of the analyses so far; these are then kept for less time."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from controlplane.audit.append_only import AppendOnly

GUARD = AppendOnly("experiments_analysis", verbs=("UPDATE",))
MOST_POINTS = 300


def fill(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """So many points an experiment at the most, evenly; what an analysis cannot tell stays out."""
    analyses, points = (apps.get_model("experiments", name).objects for name in ("Analysis", "CoursePoint"))
    for experiment in analyses.order_by().values_list("experiment", flat=True).distinct():
        keys = list(analyses.filter(experiment=experiment).order_by("-at").values_list("pk", flat=True))
        shown = analyses.filter(pk__in=keys[:: 1 + len(keys) // MOST_POINTS])
        for at, results, evidence in shown.values_list("at", "results", "evidence"):
            try:
                content = {"arms": _arms(evidence), "effects": _effects(results)}
            except (AttributeError, KeyError, TypeError):
                continue
            points.create(experiment_id=experiment, at=at, content=content)


def _arms(evidence: dict[str, dict[str, int]]) -> dict[str, list[int | None]]:
    return {arm: [evidence["requests"].get(arm, 0), users, None] for arm, users in evidence["units"].items()}


def _effects(results: dict[str, list[dict[str, object]]]) -> dict[str, dict[str, list[object]]]:
    effects: dict[str, dict[str, list[object]]] = {}
    for result in results["metrics"]:
        if result["relative"] is not None:
            ends = [*_ends(result["relative_interval"], 1), *_ends(result["anytime_interval"], result["control_value"])]
            effects.setdefault(str(result["metric"]), {})[str(result["variant"])] = [result["relative"], *ends]
    return effects


def _ends(interval: object, scale: object) -> list[float | None]:
    if not isinstance(interval, dict) or not isinstance(scale, int | float) or not scale:
        return [None, None]
    return [None if interval[end] is None else interval[end] / abs(scale) for end in ("low", "high")]


class Migration(migrations.Migration):
    dependencies = [("experiments", "0017_latency_by_default")]
    operations = [
        migrations.CreateModel(
            name="CoursePoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "content",
                    models.JSONField(help_text="Counts by variant and effects by metric."),
                ),
                (
                    "experiment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="course",
                        to="experiments.experiment",
                    ),
                ),
            ],
            options={
                "ordering": ("at",),
                "indexes": [models.Index(fields=["experiment", "at"], name="course_by_time")],
            },
        ),
        GUARD.released(),
        migrations.RemoveField(model_name="analysis", name="milestone"),
        GUARD,
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
