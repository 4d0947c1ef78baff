"""What is scheduled is there, and a worker knows it."""

from controlplane.settings.celery import app
from routing.erasure.jobs import erase_what_is_asked


def test_each_job_that_is_scheduled_is_known_to_a_worker() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


def test_erasures_are_looked_for_each_minute() -> None:
    [entry] = [entry for entry in app.conf.beat_schedule.values() if entry["task"] == erase_what_is_asked.name]
    assert entry["schedule"] <= 60
