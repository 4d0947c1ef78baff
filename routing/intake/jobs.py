"""What the worker does about outcomes."""

from django.utils import timezone

from controlplane.settings import get_environment
from controlplane.settings.celery import app
from controlplane.storage.redis_connections import get_redis
from routing.intake.belonging import count_belonging, note_belonging


@app.task
def see_what_outcomes_belong_to() -> None:
    """Count it anew for the last day."""
    note_belonging(get_redis(), count_belonging(get_environment().lake_url, timezone.now()))
