"""When the kill switch was on."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models.functions import Coalesce

from controlplane.storage.legible_columns import LegibleKey
from routing.models.endpoint import Endpoint

Span = tuple[datetime, datetime | None]
"""A beginning and an end, or None while it goes on."""


class Stop(models.Model):
    """A time during which the kill switch was on, for one endpoint or, without one, for all of them."""

    endpoint = LegibleKey(Endpoint, on_delete=models.CASCADE, null=True, blank=True, related_name="stops")
    since = models.DateTimeField()
    by = models.CharField(max_length=150)
    reason = models.TextField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-since",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                Coalesce("endpoint", 0), condition=models.Q(ended_at=None), name="stop_one_open_an_endpoint"
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="stop_has_reason"),
        ]

    def __str__(self) -> str:
        return f"stop of {self.scope}"

    @property
    def span(self) -> Span:
        """When it was on."""
        return self.since, self.ended_at

    @property
    def scope(self) -> str:
        """What is stopped, in words."""
        return self.endpoint.key if self.endpoint else "all endpoints"
