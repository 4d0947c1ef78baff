"""What an experiment's page shows over time, as ticks left it."""

from typing import ClassVar

from django.db import models

from experiments.models.experiment import Experiment


class CoursePoint(models.Model):
    """All that had been seen of an experiment by one moment; as points age, fewer of them are kept."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="course")
    at = models.DateTimeField()
    content = models.JSONField(help_text="Counts by variant and effects by metric.")

    class Meta:
        ordering = ("at",)
        indexes: ClassVar = [models.Index(fields=("experiment", "at"), name="course_by_time")]

    def __str__(self) -> str:
        return f"course of {self.experiment.key} at {self.at:%Y-%m-%d %H:%M:%S}"
