"""What the worker counts of the data now and then."""

from django.utils import timezone

from controlplane.settings import get_environment
from controlplane.settings.celery import app
from controlplane.storage.redis_connections import get_redis
from experiments.data_health.keep_sizes import keep_sizes
from experiments.data_health.shares import count_shares, note_shares


@app.task
def count_what_is_missing() -> None:
    """Count anew what requests of the last hours lack."""
    note_shares(get_redis(), count_shares(get_environment().lake_url, timezone.now()))


@app.task
def measure_what_is_stored() -> None:
    """Note how large all is."""
    keep_sizes(timezone.now())
