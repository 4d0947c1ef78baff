"""Decisions cannot be rewritten, analyses cannot be edited, and a frozen plan cannot be changed."""

from django.db import migrations

from controlplane.audit.append_only import AppendOnly

FROZEN = "EXISTS (SELECT 1 FROM experiments_plan WHERE id = OLD.plan_id AND frozen_at IS NOT NULL)"


class Migration(migrations.Migration):
    dependencies = [("experiments", "0001_initial")]
    operations = [
        AppendOnly("experiments_decision"),
        AppendOnly("experiments_analysis", verbs=("UPDATE",)),
        AppendOnly("experiments_plan", condition="OLD.frozen_at IS NOT NULL"),
        AppendOnly("experiments_stage", condition=FROZEN),
        AppendOnly("experiments_planmetric", condition=FROZEN),
    ]
