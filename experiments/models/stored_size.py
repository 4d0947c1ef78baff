"""How large what is stored was, over time."""

from typing import ClassVar

from django.db import models


class StoredSize(models.Model):
    """The size of one table of the lake or the database at one moment; as they age, fewer are kept."""

    subject = models.CharField(max_length=40)
    at = models.DateTimeField()
    rows = models.BigIntegerField()
    bytes = models.BigIntegerField()
    files = models.BigIntegerField(null=True, help_text="Of a table of the lake: with old versions and the log.")

    class Meta:
        ordering = ("at",)
        indexes: ClassVar = [models.Index(fields=("subject", "at"), name="size_by_time")]

    def __str__(self) -> str:
        return f"{self.subject} at {self.at:%Y-%m-%d %H:%M:%S}"
