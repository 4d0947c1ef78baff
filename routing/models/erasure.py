"""What is asked to be erased, and what became of it."""

from typing import ClassVar

from django.db import models


class Erasure(models.Model):
    """A unit whose rows somebody asked to be taken out of the lake; it stays, without anything of the rows."""

    unit = models.BigIntegerField()
    asked_at = models.DateTimeField()
    by = models.CharField(max_length=150)
    reason = models.TextField()
    claimed_until = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    requests = models.PositiveBigIntegerField(default=0)
    outcomes = models.PositiveBigIntegerField(default=0)
    problem = models.TextField(blank=True, default="")

    class Meta:
        ordering = ("-asked_at", "-pk")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(reason=""), name="erasure_has_reason"),
            models.UniqueConstraint(fields=("unit",), condition=models.Q(done_at=None), name="erasure_one_open_a_unit"),
        ]

    def __str__(self) -> str:
        return f"erasure of {self.unit}"

    @property
    def state(self) -> str:
        """How far it is: `asked`, or `done`."""
        return "asked" if self.done_at is None else "done"
