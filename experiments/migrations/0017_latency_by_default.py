"""Latency guards every plan: drafts get it too, and a metric of that name that measured something else keeps its own.

Frozen plans go on as they were written.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import F, Max

KEY = "latency"
MEANING = {
    "type": "ratio",
    "numerator": "duration_ms",
    "denominator": "requests",
    "direction": "decrease",
    "level": None,
    "cap": None,
    "window_from_hours": 0,
    "window_to_hours": None,
    "settling_seconds": None,
    "display_unit": "ms",
}
OWN_KEY = "latency-as-defined-here"
GUARDRAIL = {"role": "guardrail", "margin": 0.25, "margin_kind": "relative", "minimum_effect": 0.25, "by_default": True}


def guard_by_latency(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    metrics = apps.get_model("experiments", "Metric").objects
    measured_otherwise = metrics.filter(key=KEY).exclude(**{k: v for k, v in MEANING.items() if k != "display_unit"})
    measured_otherwise.update(key=OWN_KEY, version=F("version") + 1)
    metric, _ = metrics.get_or_create(key=KEY, defaults={"name": "Latency", **MEANING})
    metrics.filter(pk=metric.pk).exclude(**MEANING).update(**MEANING, version=F("version") + 1)
    for plan in apps.get_model("experiments", "Plan").objects.filter(frozen_at=None):
        listed = plan.metrics.filter(metric=metric).first()
        if listed is None:
            last = plan.metrics.aggregate(last=Max("position"))["last"] or 0
            plan.metrics.create(metric=metric, position=last + 1, **GUARDRAIL)
        elif listed.role != "guardrail":
            plan.switched_off = [*(plan.switched_off if isinstance(plan.switched_off, list) else ()), KEY]
            plan.save(update_fields=["switched_off"])


class Migration(migrations.Migration):
    dependencies = [("experiments", "0016_words")]
    operations = [migrations.RunPython(guard_by_latency, migrations.RunPython.noop)]
