"""Each arm counts its own rounds of the guard: what becomes of one candidate disturbs no other."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def give_to_candidates(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    for split in apps.get_model("routing", "Split").objects.filter(guard_round__gt=0):
        control, *candidates = split.arms
        split.arms = [control, *({**arm, "guard_round": split.guard_round} for arm in candidates)]
        split.save(update_fields=["arms"])


def take_from_candidates(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    for split in apps.get_model("routing", "Split").objects.all():
        split.guard_round = max(arm.pop("guard_round", 0) for arm in split.arms)
        split.save(update_fields=["arms", "guard_round"])


class Migration(migrations.Migration):
    dependencies = [("routing", "0012_versions_parameters_and_rules")]
    operations = [
        migrations.RunPython(give_to_candidates, take_from_candidates),
        migrations.RemoveField("split", "guard_round"),
    ]
