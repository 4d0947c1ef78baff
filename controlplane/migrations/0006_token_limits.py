"""Tokens may be limited to networks, and the audit trail names the token that was used.

The trail's column is added as it is: rebuilding the table would lift its guard.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("controlplane", "0005_token_scopes")]
    operations = [
        migrations.AddField(
            "token",
            "networks",
            models.JSONField(
                blank=True, default=list, help_text="The networks that it may be used from; none: from everywhere."
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE controlplane_auditevent ADD COLUMN token varchar(150) NOT NULL DEFAULT ''",
                    "ALTER TABLE controlplane_auditevent DROP COLUMN token",
                )
            ],
            state_operations=[
                migrations.AddField("auditevent", "token", models.CharField(blank=True, default="", max_length=150))
            ],
        ),
    ]
