"""Time limits end at an hour; what is longer stays until it is edited."""

from typing import ClassVar

import django.core.validators
from django.db import migrations, models

LIMITS = [django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(3600)]


class Migration(migrations.Migration):
    """As the module says."""

    dependencies: ClassVar = [("routing", "0022_longest_silence")]

    operations: ClassVar = [
        migrations.AlterField(
            "endpoint",
            "first_byte_seconds",
            models.FloatField(
                default=0, validators=LIMITS, help_text="Time limit until the answer begins; 0 means no limit."
            ),
        ),
        migrations.AlterField(
            "endpoint",
            "idle_seconds",
            models.FloatField(
                default=0,
                validators=LIMITS,
                help_text="Time limit of silence within an answer; 0: that of a whole answer, or else 300.",
            ),
        ),
        migrations.AlterField(
            "endpoint",
            "timeout_seconds",
            models.PositiveIntegerField(
                default=300,
                validators=[django.core.validators.MaxValueValidator(3600)],
                help_text="Time limit of a whole answer; 0 means no limit.",
            ),
        ),
    ]
