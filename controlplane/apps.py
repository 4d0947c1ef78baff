"""The app that holds what cuts across: accounts, tokens, audit, errors."""

from django.apps import AppConfig


class ControlplaneConfig(AppConfig):
    """Accounts, tokens and the audit trail."""

    name = "controlplane"
