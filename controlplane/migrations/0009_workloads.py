"""Tokens of minutes, which jobs of CI are given."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("controlplane", "0008_roles")]
    operations = [
        migrations.AddField(
            "token",
            "workload",
            models.CharField(blank=True, default="", help_text="The job of CI that it was given to.", max_length=200),
        ),
    ]
