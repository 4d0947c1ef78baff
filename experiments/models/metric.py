"""Metrics: what is measured per unit."""

from collections.abc import Callable
from typing import ClassVar

from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models

from controlplane.storage.keyed import Keyed
from controlplane.storage.legible_columns import LegibleField
from experiments.models.default_guardrails import MEANINGS, Meaning
from experiments.stats.core.types import Direction
from experiments.stats.metrics import KINDS
from experiments.stats.metrics.kind import MetricKind
from routing.models.stored_lists import STORED_CONDITIONS, check_conditions

TYPE_CHOICES = [(kind.type.value, kind.label) for kind in KINDS.values()]
WITH_DENOMINATOR = [kind.type.value for kind in KINDS.values() if kind.has_denominator]
HOURS = [MinValueValidator(0), MaxValueValidator(366 * 24)]
SETTLING = [MinValueValidator(0), MaxValueValidator(366 * 86_400)]
DIRECTION_CHOICES = [
    (Direction.INCREASE.value, "Higher is better"),
    (Direction.DECREASE.value, "Lower is better"),
]


def _types(of: Callable[[MetricKind], bool], **others: object) -> models.Q:
    """Rows of the types of such a kind."""
    types = [kind.type.value for kind in KINDS.values() if of(kind)]
    return models.Q(type=types[0], **others) if len(types) == 1 else models.Q(type__in=types, **others)


class MetricMeaning(models.Model):
    """How a number is computed from what happened, which way is better, and how it is written."""

    type = models.CharField(max_length=20, choices=TYPE_CHOICES)
    numerator = models.CharField(max_length=100, help_text="A measure, like `errors` or `outcome(thumbs-up)`.")
    denominator = models.CharField(
        max_length=100, blank=True, help_text="A measure for ratios; the outcome that is the label for a classifier."
    )
    level = models.FloatField(null=True, blank=True, help_text="Which quantile, between 0 and 1, like 0.9.")
    cap = models.FloatField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(1e12)],
        help_text="Most that one user's total counts; for means.",
    )
    window_from_hours = models.FloatField(
        default=0,
        validators=HOURS,
        help_text="Hours after a user's first request from which outcomes or requests count.",
    )
    window_to_hours = models.FloatField(
        null=True,
        blank=True,
        validators=HOURS,
        help_text="Hours until which they count; a user counts once these have passed.",
    )
    settling_seconds = models.FloatField(
        null=True,
        blank=True,
        validators=SETTLING,
        help_text="Longest time from a request to its outcomes; it counts from then on. Empty: as it is measured.",
    )
    conditions = LegibleField(
        shape=STORED_CONDITIONS,
        default=list,
        blank=True,
        validators=[check_conditions],
        help_text="Only requests that meet all of these count, like `edge is eu-1, eu-2`.",
    )
    direction = models.CharField(max_length=10, choices=DIRECTION_CHOICES)
    display_unit = models.CharField(max_length=20, blank=True, help_text="Shown behind the value: `ms`, `%`.")

    class Meta:
        abstract = True

    def means(self, other: "MetricMeaning") -> bool:
        """Whether both are computed and written alike."""
        return all(getattr(self, name) == getattr(other, name) for name in MEANING)


class Metric(Keyed, MetricMeaning):
    """What plans compare. What it means may change: a plan keeps the edition that it was started with."""

    description = models.TextField(blank=True, validators=[MaxLengthValidator(10_000)])
    owner = models.CharField(
        max_length=100, blank=True, help_text="Who answers for what it measures: a person or a team."
    )

    class Meta(Keyed.Meta):
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(type__in=[value for value, _ in TYPE_CHOICES]), name="metric_type_known"
            ),
            models.CheckConstraint(
                condition=models.Q(direction__in=[value for value, _ in DIRECTION_CHOICES]),
                name="metric_direction_known",
            ),
            models.CheckConstraint(
                condition=models.Q(type__in=WITH_DENOMINATOR) ^ models.Q(denominator=""),
                name="metric_ratio_has_denominator",
            ),
            models.CheckConstraint(
                condition=_types(lambda kind: kind.has_level, level__gt=0, level__lt=1)
                | (~_types(lambda kind: kind.has_level) & models.Q(level=None)),
                name="metric_quantile_has_level",
            ),
            models.CheckConstraint(
                condition=models.Q(cap=None) | _types(lambda kind: kind.has_cap, cap__gt=0),
                name="metric_cap_of_a_mean",
            ),
            models.CheckConstraint(
                condition=models.Q(window_to_hours=None)
                | _types(
                    lambda kind: kind.has_window,
                    window_from_hours__gte=0,
                    window_to_hours__gt=models.F("window_from_hours"),
                ),
                name="metric_window_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def default_guardrail(self) -> bool:
        """Whether every plan has it until it is switched off by name; then its name and description alone change."""
        return self.key in MEANINGS

    @property
    def meaning(self) -> "Metric | Meaning":
        """What it measures now: of a default guardrail what the code says, whatever the row does."""
        return MEANINGS.get(self.key, self)


class MetricEdition(MetricMeaning):
    """What a metric meant when plans were started with it; never changed."""

    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="editions")
    number = models.PositiveIntegerField(help_text="Counts what the metric has meant in plans that were started.")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-number",)
        constraints: ClassVar = [models.UniqueConstraint(fields=("metric", "number"), name="metric_edition_once")]

    def __str__(self) -> str:
        return f"edition {self.number} of {self.metric.key}"


MEANING = tuple(field.name for field in MetricMeaning._meta.local_fields)
"""The fields that say what a metric means."""
