"""What edges were told, and what they could not be."""

from django.db import models


class RoutingTable(models.Model):
    """One published version of all routing. Kept for ever; the database refuses to change or delete one."""

    version = models.PositiveBigIntegerField(unique=True)
    content = models.TextField(help_text="Canonical JSON.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content without its version.")
    cause = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-version",)

    def __str__(self) -> str:
        return f"routing table {self.version}"


class Hindrance(models.Model):
    """A part of what the database asks for that could not be published; gone once it is fixed."""

    subject = models.CharField(max_length=100, unique=True, help_text="What stays as it was, like `endpoint chat`.")
    code = models.CharField(max_length=63)
    detail = models.TextField()
    next_step = models.TextField()
    since = models.DateTimeField()

    class Meta:
        ordering = ("since", "subject")

    def __str__(self) -> str:
        return f"{self.subject}: {self.code}"
