"""Analyses and the ledger of decisions. The database refuses to change either, or to delete a decision."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from experiments.decide.types import DecisionKind as PureDecisionKind
from experiments.models.experiment import Experiment


class Analysis(models.Model):
    """What the statistics said at one moment, and on which data."""

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="analyses")
    at = models.DateTimeField(db_index=True)
    look = models.BooleanField(help_text="Whether promotion could be decided here.")
    stage_index = models.PositiveIntegerField()
    results = models.JSONField()
    evidence = models.JSONField(help_text="Sufficient statistics, exactly as judged.")
    lake_version = models.JSONField()
    table_version = models.PositiveBigIntegerField()
    code_version = models.CharField(max_length=40)

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "analyses"

    def __str__(self) -> str:
        return f"analysis of {self.experiment.key} at {self.at:%Y-%m-%d %H:%M:%S}"


class DecisionKind(models.TextChoices):
    """What was decided."""

    ADVANCE = PureDecisionKind.ADVANCE.value, "Advance"
    PROMOTE = PureDecisionKind.PROMOTE.value, "Promote"
    HALT = PureDecisionKind.HALT.value, "Halt"
    HOLD = PureDecisionKind.HOLD.value, "Hold"
    INCONCLUSIVE = PureDecisionKind.INCONCLUSIVE.value, "Inconclusive"


class Decision(models.Model):
    """One link of an experiment's chain of decisions: each hash covers the one before."""

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="decisions")
    sequence = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, choices=DecisionKind.choices)
    code = models.CharField(max_length=40)
    reason = models.TextField()
    actor = models.CharField(max_length=150)
    at = models.DateTimeField()
    stage_index = models.PositiveIntegerField()
    variant_key = models.CharField(max_length=63, blank=True)
    analysis = models.ForeignKey(Analysis, on_delete=models.PROTECT, null=True, related_name="decisions")
    evidence = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ("-id",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("experiment", "sequence"), name="decision_sequence_unique"),
            models.CheckConstraint(condition=Q(kind__in=DecisionKind.values), name="decision_kind_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="decision_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.experiment.key}"
