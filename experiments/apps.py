"""The app that says what is tested and what was decided."""

from django.apps import AppConfig


class ExperimentsConfig(AppConfig):
    """Experiments, plans, analyses and decisions."""

    name = "experiments"
