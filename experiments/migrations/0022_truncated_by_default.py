"""Answers that are cut guard every plan: drafts get it too, and a metric of that name that measured something else keeps
its own.

Frozen plans go on as they were written.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import F, Max

KEY = "truncated-rate"
MEANING = {
    "type": "ratio",
    "numerator": "truncated",
    "denominator": "requests",
    "direction": "decrease",
    "level": None,
    "cap": None,
    "window_from_hours": 0,
    "window_to_hours": None,
    "settling_seconds": None,
    "conditions": [],
    "display_unit": "%",
}
OWN_KEY = "truncated-rate-as-defined-here"
GUARDRAIL = {"role": "guardrail", "margin": 0.02, "margin_kind": "absolute", "minimum_effect": 0.5, "by_default": True}
OF_REQUESTS = {
    "truncated-rate": "Requests whose answer says that it was cut at a length, a request.",
    "filtered-rate": "Requests whose answer says that a filter stopped it, a request.",
    "refusal-rate": "Requests whose answer says that the model refused, a request.",
}


def guard_by_cut_answers(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    metrics = apps.get_model("experiments", "Metric").objects
    measured_otherwise = metrics.filter(key=KEY).exclude(**{k: v for k, v in MEANING.items() if k != "display_unit"})
    measured_otherwise.update(key=OWN_KEY, version=F("version") + 1)
    metric, _ = metrics.get_or_create(key=KEY, defaults={"name": "Truncated answers", **MEANING})
    metrics.filter(pk=metric.pk).exclude(**MEANING).update(**MEANING, version=F("version") + 1)
    for key, description in OF_REQUESTS.items():
        metrics.filter(key=key, denominator="requests").update(description=description, version=F("version") + 1)
    for plan in apps.get_model("experiments", "Plan").objects.filter(frozen_at=None):
        listed = plan.metrics.filter(metric=metric).first()
        if listed is None:
            last = plan.metrics.aggregate(last=Max("position"))["last"] or 0
            plan.metrics.create(metric=metric, position=last + 1, **GUARDRAIL)
        elif listed.role != "guardrail":
            plan.switched_off = [*(plan.switched_off if isinstance(plan.switched_off, list) else ()), KEY]
            plan.save(update_fields=["switched_off"])


class Migration(migrations.Migration):
    dependencies = [("experiments", "0021_metric_conditions")]
    operations = [migrations.RunPython(guard_by_cut_answers, migrations.RunPython.noop)]
