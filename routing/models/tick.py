"""The last tick of a worker."""

from django.db import models


class Tick(models.Model):
    """The last tick that a worker went through; one row, and none before the first."""

    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"tick at {self.at:%Y-%m-%d %H:%M:%S}"
