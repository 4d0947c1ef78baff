"""Django's command line."""

import os
import sys

from django.core.management import execute_from_command_line

from controlplane.settings.environment import Environment, write_missing_secrets

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.settings.django")
    if sys.argv[1:2] == ["up"]:
        write_missing_secrets(Environment().data_directory)
    name = [word if word.startswith("-") else word.replace("-", "_") for word in sys.argv[1:2]]
    execute_from_command_line([*sys.argv[:1], *name, *sys.argv[2:]])
