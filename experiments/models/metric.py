"""Metrics: what is measured per unit."""

from typing import ClassVar

from django.db import models

from experiments.stats.types import Direction, MetricType
from routing.models import KEY_VALIDATOR

TYPE_CHOICES = [
    (MetricType.PROPORTION.value, "Proportion: share of users with any"),
    (MetricType.MEAN.value, "Mean: total a user"),
    (MetricType.RATIO.value, "Ratio: total over total"),
]
DIRECTION_CHOICES = [
    (Direction.INCREASE.value, "Higher is better"),
    (Direction.DECREASE.value, "Lower is better"),
]


class Metric(models.Model):
    """How one number is computed from what happened, and which way is better."""

    key = models.CharField(max_length=63, unique=True, validators=[KEY_VALIDATOR])
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    type = models.CharField(max_length=20, choices=TYPE_CHOICES)
    numerator = models.CharField(max_length=100, help_text="A measure, like `errors` or `outcome(thumbs-up)`.")
    denominator = models.CharField(max_length=100, blank=True, help_text="A measure; for ratios only.")
    direction = models.CharField(max_length=10, choices=DIRECTION_CHOICES)
    display_unit = models.CharField(max_length=20, blank=True, help_text="Shown behind the value: `ms`, `%`.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("key",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(type__in=[value for value, _ in TYPE_CHOICES]), name="metric_type_known"
            ),
            models.CheckConstraint(
                condition=models.Q(direction__in=[value for value, _ in DIRECTION_CHOICES]),
                name="metric_direction_known",
            ),
            models.CheckConstraint(
                condition=models.Q(type=MetricType.RATIO.value) ^ models.Q(denominator=""),
                name="metric_ratio_has_denominator",
            ),
        ]

    def __str__(self) -> str:
        return self.key
