"""`manage.py verify_decisions`: whether any log of decisions was tampered with."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from experiments.lifecycle.append_decision import hashed_content
from experiments.lifecycle.ledger import first_broken_link
from experiments.models import Experiment


class Command(BaseCommand):
    """Checks the hash chain of every experiment."""

    help = "Check every experiment's chain of decisions; exit code 1 when one is broken."

    def handle(self, *args: Any, **options: Any) -> None:
        """Name every broken chain, and the number of the decision at which it breaks."""
        broken = 0
        for experiment in Experiment.objects.prefetch_related("decisions"):
            decisions = sorted(experiment.decisions.all(), key=lambda decision: decision.sequence)
            index = first_broken_link([(hashed_content(d), d.previous_hash, d.hash) for d in decisions])
            if index is not None:
                broken += 1
                self.stderr.write(f"{experiment.key}: the chain breaks at decision {decisions[index].sequence}.")
        self.stdout.write(f"{Experiment.objects.count()} experiments checked, {broken} with a broken chain.")
        sys.exit(1 if broken else 0)
