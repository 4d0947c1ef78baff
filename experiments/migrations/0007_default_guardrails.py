"""Guardrails that every plan has until they are switched off by name."""

from django.db import migrations, models

from controlplane.audit.append_only import AppendOnly

FROZEN = "EXISTS (SELECT 1 FROM experiments_plan WHERE id = OLD.plan_id AND frozen_at IS NOT NULL)"
GUARDS = (
    AppendOnly("experiments_plan", condition="OLD.frozen_at IS NOT NULL"),
    AppendOnly("experiments_stage", condition=FROZEN),
    AppendOnly("experiments_planmetric", condition=FROZEN),
)


class Migration(migrations.Migration):
    dependencies = [
        ("experiments", "0006_audience_and_guard"),
    ]

    operations = [
        *(guard.released() for guard in GUARDS),
        migrations.AddField(
            model_name="plan",
            name="switched_off",
            field=models.JSONField(
                blank=True, default=list, help_text="Guardrails that every plan has, and this one does not."
            ),
        ),
        migrations.AddField(
            model_name="planmetric",
            name="by_default",
            field=models.BooleanField(default=False, help_text="Whether the plan has it without listing it."),
        ),
        *GUARDS,
    ]
