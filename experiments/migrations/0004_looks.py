"""How many looks a plan has, and how they share alpha."""

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
        ("experiments", "0003_metrics"),
    ]

    operations = [
        *(guard.released() for guard in GUARDS),
        migrations.AddField(
            model_name="plan",
            name="looks",
            field=models.PositiveIntegerField(
                default=20, help_text="Looks at which promotion may be decided, at equal steps of information."
            ),
        ),
        migrations.AddField(
            model_name="plan",
            name="spending",
            field=models.CharField(
                choices=[
                    ("obrien-fleming", "O'Brien-Fleming type: strict early, hardly dearer than one look"),
                    ("pocock", "Pocock type: even, sooner for large effects"),
                ],
                default="obrien-fleming",
                help_text="How looks share alpha.",
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(("looks__gte", 1), ("looks__lte", 100)), name="plan_looks_in_range"
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(("spending__in", ["obrien-fleming", "pocock"])), name="plan_spending_known"
            ),
        ),
        *GUARDS,
    ]
