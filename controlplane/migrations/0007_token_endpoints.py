"""Tokens may be limited to endpoints."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("controlplane", "0006_token_limits")]
    operations = [
        migrations.AddField(
            "token",
            "endpoints",
            models.JSONField(
                blank=True, default=list, help_text="The endpoints that it is limited to, by their keys; none: all."
            ),
        ),
    ]
