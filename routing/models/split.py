"""How an experiment divides its users."""

from typing import ClassVar

from django.db import models

from controlplane.storage.legible_columns import LegibleField, LegibleKey
from routing.models.endpoint import Endpoint
from routing.models.stored_lists import STORED_ARMS, STORED_CONDITIONS, STORED_GUARD, check_conditions
from routing.table import BUCKETS


class Split(models.Model):
    """How one running experiment divides its share of an endpoint's users.

    `arms` is a list of `{"variant", "backend", "start", "end"}`, the control's first, with `headers` and `query` where
    a variant sets some, and `guard_round` where it was reinstated after an edge ejected it: how often. The spans are
    half-open bucket ranges that no other split of the endpoint's layer touches.
    """

    endpoint = LegibleKey(Endpoint, on_delete=models.PROTECT, related_name="splits")
    experiment = models.CharField(max_length=63, unique=True)
    stage = models.PositiveIntegerField(default=0)
    coverage = models.PositiveIntegerField(help_text="Share of each arm's span that is in, in 1/10 000.")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    arms = LegibleField(shape=STORED_ARMS)
    audience = LegibleField(shape=STORED_CONDITIONS, default=list, validators=[check_conditions])
    guard = LegibleField(
        shape=STORED_GUARD, null=True, default=dict, help_text="When an edge ejects a candidate; null: never."
    )

    class Meta:
        ordering = ("endpoint", "start")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("endpoint", "start"), name="split_start_unique"),
            models.CheckConstraint(
                condition=models.Q(start__lt=models.F("end"), end__lte=BUCKETS), name="split_span_in_layer"
            ),
            models.CheckConstraint(condition=models.Q(coverage__lte=BUCKETS), name="split_coverage_in_range"),
        ]

    def __str__(self) -> str:
        return f"split of {self.experiment}"

    @property
    def last(self) -> int:
        """The last of its buckets."""
        return self.end - 1
