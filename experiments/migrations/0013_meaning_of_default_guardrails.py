"""What default guardrails measure is fixed: rows that were redefined or removed are as they were."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import F

# As they were when this was written; later ones are later migrations'.
NUMERATORS = {
    "error-rate": ("Error rate", "errors"),
    "client-error-rate": ("Client error rate", "client_errors"),
    "redirect-rate": ("Redirect rate", "redirects"),
    "abandon-rate": ("Abandon rate", "abandoned"),
}


def put_back(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    metrics = apps.get_model("experiments", "Metric").objects
    for key, (name, numerator) in NUMERATORS.items():
        meaning = {
            "type": "ratio",
            "numerator": numerator,
            "denominator": "requests",
            "direction": "decrease",
            "level": None,
            "cap": None,
            "window_from_hours": 0,
            "window_to_hours": None,
            "settling_seconds": None,
            "display_unit": "%",
        }
        metrics.get_or_create(key=key, defaults={"name": name, **meaning})
        metrics.filter(key=key).exclude(**meaning).update(**meaning, version=F("version") + 1)


class Migration(migrations.Migration):
    dependencies = [("experiments", "0012_settling_times")]
    operations = [migrations.RunPython(put_back, migrations.RunPython.noop)]
