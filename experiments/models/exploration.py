"""What an experiment's page tells beside what is decided on, as it was computed last."""

from django.db import models

from experiments.models.experiment import Experiment


class Exploration(models.Model):
    """What was found among the users of each value of the plan's dimensions, and when it is computed anew."""

    experiment = models.OneToOneField(Experiment, on_delete=models.CASCADE, related_name="exploration")
    due_at = models.DateTimeField()
    at = models.DateTimeField(null=True, help_text="The moment as of which the content is right; null before.")
    content = models.JSONField(default=dict, help_text="Effects and users by dimension and value.")
    evidence_hash = models.CharField(max_length=64, blank=True, help_text="Of the analysis that it is as new as.")

    def __str__(self) -> str:
        return f"exploration of {self.experiment.key}"
