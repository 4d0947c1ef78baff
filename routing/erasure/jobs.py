"""What the worker does about erasures."""

from controlplane.settings.celery import app
from routing.erasure.carry_out import carry_out_all


@app.task
def erase_what_is_asked() -> None:
    """Carry out the erasures that were asked for."""
    carry_out_all()
