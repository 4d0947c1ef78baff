"""Tokens may be limited to some of the rights that their role has."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("controlplane", "0004_token_roles")]
    operations = [
        migrations.AddField(
            "token",
            "scopes",
            models.JSONField(
                blank=True, default=list, help_text="The rights that it is limited to; none: all that its role has."
            ),
        ),
    ]
