"""Forcing a variant and being explained to need a key for tests or a network; nobody has either until one is given."""

from typing import ClassVar

from django.db import migrations, models

import routing.models.stored_lists


class Migration(migrations.Migration):
    """As the module says."""

    dependencies: ClassVar = [("routing", "0023_longest_time_limits")]

    operations: ClassVar = [
        migrations.AddField(
            "accesskey",
            "for_tests",
            models.BooleanField(
                default=False, help_text="Whoever sends it as `x-sluice-key` may force a variant and be explained to."
            ),
        ),
        migrations.AddField(
            "endpoint",
            "test_networks",
            models.JSONField(
                default=list,
                blank=True,
                validators=[routing.models.stored_lists.check_networks],
                help_text="Who calls from these may force a variant and be explained to.",
            ),
        ),
    ]
