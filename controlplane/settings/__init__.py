"""Settings: the typed environment, and Django's own module beside it."""

from controlplane.settings.environment import Environment, get_environment

__all__ = ["Environment", "get_environment"]
