"""When a worker last went through its tick."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.utils import timezone


def begin_now(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """An installation that has published is given time for its first tick."""
    if apps.get_model("routing", "RoutingTable").objects.exists():
        apps.get_model("routing", "Tick").objects.create(pk=1, at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("routing", "0016_number_limits")]
    operations = [
        migrations.CreateModel(
            name="Tick",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.RunPython(begin_now, migrations.RunPython.noop),
    ]
