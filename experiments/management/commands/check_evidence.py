"""`manage.py check_evidence`: whether the evidence that running experiments carry is what the lake tells."""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from experiments.loop.carry import evidence_is_right
from experiments.models import Experiment
from experiments.models.experiment import LIVE_STATES


class Command(BaseCommand):
    """Compares both, and makes anew what differs."""

    help = "Compare what each running experiment carries with the lake; exit code 1 when one differed and is made anew."

    def handle(self, *args: Any, **options: Any) -> None:
        """Name each experiment whose evidence differed."""
        live = Experiment.objects.filter(state__in=LIVE_STATES).select_related("plan", "endpoint")
        wrong = [experiment.key for experiment in live if not evidence_is_right(experiment, timezone.now())]
        for key in wrong:
            self.stderr.write(f"{key}: what it carried differed from the lake, and is made anew.")
        self.stdout.write(f"{len(live)} experiments checked, {len(wrong)} differed.")
        sys.exit(1 if wrong else 0)
