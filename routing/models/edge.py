"""An edge, as it last reported."""

from django.db import models

from controlplane.storage.legible_columns import LegibleField


class Edge(models.Model):
    """One Envoy with its agent, as it last reported."""

    name = models.CharField(max_length=63, unique=True)
    zone = models.CharField(max_length=63, blank=True)
    labels = models.CharField(max_length=500, blank=True, help_text="Labels by its operator, like `gpu=h100`.")
    applied_version = models.PositiveBigIntegerField(default=0)
    applied_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()
    healthy = models.BooleanField(default=True)
    error = models.TextField(blank=True)
    cuts = LegibleField(default=list, help_text="Candidates that it ejected, with the counts.")
    unread = models.TextField(blank=True, help_text="Part of its last report that this release could not read.")
    loads = LegibleField(default=dict, help_text="How busy backends say they are: waiting, running, cache used.")
    losses = LegibleField(default=list, help_text="Rows that it lost, by run of its Envoy, backend and arm.")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
