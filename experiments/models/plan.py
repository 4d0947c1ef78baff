"""The plan of an experiment: frozen when it starts, and guarded by the database from then on."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from controlplane.storage.legible_columns import LegibleField
from experiments.models.default_guardrails import Meaning
from experiments.models.experiment import Experiment
from experiments.models.metric import Metric, MetricEdition, MetricMeaning
from experiments.stats.core.spending import Family
from experiments.stats.core.types import MarginKind, Role
from routing.models.stored_lists import STORED_TEXTS
from routing.table import BUCKETS

ROLE_CHOICES = [
    (Role.GOAL.value, "Goal: must get better"),
    (Role.GUARDRAIL.value, "Guardrail: must not get worse than its margin"),
    (Role.OBSERVED.value, "Observed: shown, decides nothing"),
]
MARGIN_CHOICES = [
    (MarginKind.RELATIVE.value, "Share of the control's value"),
    (MarginKind.ABSOLUTE.value, "In the metric's own unit"),
]
SPENDING_CHOICES = [
    (Family.OBRIEN_FLEMING.value, "O'Brien-Fleming type: strict early, hardly dearer than one look"),
    (Family.POCOCK.value, "Pocock type: even, sooner for large effects"),
]


class Plan(models.Model):
    """Error rates, time limits and rhythm of an experiment, as the plan's spec describes them."""

    experiment = models.OneToOneField(Experiment, on_delete=models.CASCADE, related_name="plan")
    alpha = models.FloatField()
    halt_alpha = models.FloatField()
    power = models.FloatField()
    tick_seconds = models.FloatField()
    maximum_seconds = models.PositiveIntegerField()
    minimum_units = models.PositiveIntegerField()
    looks = models.PositiveIntegerField()
    spending = models.CharField(max_length=20, choices=SPENDING_CHOICES)
    switched_off = LegibleField(shape=STORED_TEXTS, default=list, blank=True)
    dimensions = LegibleField(shape=STORED_TEXTS, default=list, blank=True)
    covariate_days = models.PositiveIntegerField(default=14)
    frozen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(alpha__gt=0, alpha__lt=0.5, halt_alpha__gt=0, halt_alpha__lt=0.5),
                name="plan_error_rates_in_range",
            ),
            models.CheckConstraint(condition=Q(power__gt=0, power__lt=1), name="plan_power_in_range"),
            models.CheckConstraint(condition=Q(tick_seconds__gte=1), name="plan_tick_at_most_each_second"),
            models.CheckConstraint(condition=Q(maximum_seconds__gte=1), name="plan_maximum_positive"),
            models.CheckConstraint(condition=Q(looks__gte=1, looks__lte=100), name="plan_looks_in_range"),
            models.CheckConstraint(
                condition=Q(spending__in=[value for value, _ in SPENDING_CHOICES]), name="plan_spending_known"
            ),
        ]

    def __str__(self) -> str:
        return f"plan of {self.experiment.key}"


class Stage(models.Model):
    """One step of the ramp."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="stages")
    position = models.PositiveIntegerField()
    coverage = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(BUCKETS)],
        help_text="Share of each variant's users that is in, in 1/10 000.",
    )
    soak_seconds = models.PositiveIntegerField()

    class Meta:
        ordering = ("position",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("plan", "position"), name="stage_position_unique"),
            models.CheckConstraint(condition=Q(coverage__gte=1, coverage__lte=BUCKETS), name="stage_coverage_in_range"),
        ]

    def __str__(self) -> str:
        return f"stage {self.position + 1} at {self.coverage / 100:g} %"


class PlanMetric(models.Model):
    """A metric in a plan: its role, and what counts as harm or as success."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="metrics")
    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="plans")
    position = models.PositiveIntegerField(default=0)
    role = models.CharField(max_length=10, choices=ROLE_CHOICES)
    margin = models.FloatField()
    margin_kind = models.CharField(max_length=10, choices=MARGIN_CHOICES)
    minimum_effect = models.FloatField()
    covariate = models.BooleanField(default=False)
    by_default = models.BooleanField(default=False, help_text="Whether the plan has it without listing it.")
    edition = models.ForeignKey(
        MetricEdition,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="plans",
        help_text="What the metric meant when the plan was started; empty for a draft, and for default guardrails.",
    )

    class Meta:
        ordering = ("position", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("plan", "metric"), name="plan_metric_once"),
            models.CheckConstraint(
                condition=Q(role__in=[value for value, _ in ROLE_CHOICES]), name="plan_metric_role_known"
            ),
            models.CheckConstraint(
                condition=Q(margin_kind__in=[value for value, _ in MARGIN_CHOICES]),
                name="plan_metric_margin_kind_known",
            ),
            models.CheckConstraint(condition=Q(margin__gte=0, minimum_effect__gt=0), name="plan_metric_sizes_in_range"),
        ]

    def __str__(self) -> str:
        return f"{self.metric.key} as {self.role}"

    @property
    def meaning(self) -> MetricMeaning | Meaning:
        """What the metric measures in this plan."""
        return self.edition if self.edition and not self.metric.default_guardrail else self.metric.meaning

    @property
    def changed_since(self) -> bool:
        """Whether the metric means something else now than in this plan."""
        return isinstance(self.meaning, MetricEdition) and not self.meaning.means(self.metric)
