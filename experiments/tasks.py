"""What the worker does."""

from django.utils import timezone

from controlplane.celery import app
from controlplane.storage import get_redis
from experiments.actions.claim_due import claim_due
from experiments.actions.reconcile import reconcile
from experiments.models import Experiment
from routing.actions.publish import publish
from routing.actions.record_edges import record_edges


@app.task
def tick() -> None:
    """Bring what is published in line with the database, then look at every experiment that is due."""
    now = timezone.now()
    publish("reconciled")
    record_edges(get_redis(), now=now)
    for pk in claim_due(now):
        reconcile_experiment.delay(pk)


@app.task
def reconcile_experiment(pk: int) -> None:
    """Analyse one experiment, decide and act."""
    reconcile(Experiment.objects.select_related("plan", "endpoint").get(pk=pk), now=timezone.now())
