"""Imports of outcomes from files."""

from typing import ClassVar

from django.db import models


class EventImport(models.Model):
    """One file of outcomes: how much of it has arrived, how many of its rows are in, and what became of them."""

    class State(models.TextChoices):
        """Where an import is."""

        RECEIVING = "receiving", "Receiving the file"
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    class Kind(models.TextChoices):
        """How the file is written."""

        CSV = "csv", "CSV"
        JSONL = "jsonl", "JSON lines"
        PARQUET = "parquet", "Parquet"

    key = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    size = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVING, db_index=True)
    rows = models.BigIntegerField(null=True)
    reached = models.BigIntegerField(default=0)
    accepted = models.BigIntegerField(default=0)
    duplicates = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    problems = models.JSONField(default=list)
    failure = models.TextField(blank=True)
    actor = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"

    @property
    def percent(self) -> int:
        """How much of what it is at is done, rounded down."""
        done, whole = (self.received, self.size) if self.state == self.State.RECEIVING else (self.reached, self.rows)
        return 100 * done // whole if whole else 0
