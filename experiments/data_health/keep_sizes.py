"""Note how large the tables of the lake and of the database are."""

from datetime import datetime
from typing import Any

from django.db.models import F, Model, QuerySet, Sum, TextField
from django.db.models.functions import Cast, Coalesce, Length

from controlplane.storage.redis_connections import get_redis
from experiments.course.ageing import passed_over
from experiments.models import Analysis, CoursePoint, Decision, StoredSize
from routing.lake.care import last_care
from routing.lake.schema import OUTCOMES, REQUESTS

DATABASE: dict[str, tuple[type[Model], tuple[str, ...]]] = {
    "analyses": (Analysis, ("results", "evidence")),
    "decisions": (Decision, ("evidence",)),
    "courses": (CoursePoint, ("content",)),
}
"""By what they are called: the rows, and their large columns."""


def keep_sizes(now: datetime) -> None:
    """Note all sizes, and thin out old ones. Raises `redis.RedisError`."""
    StoredSize.objects.bulk_create([*_of_lake(now), *_of_database(now)])
    for subject in StoredSize.objects.order_by().values_list("subject", flat=True).distinct():
        points = StoredSize.objects.filter(subject=subject).order_by("at", "pk").values_list("pk", "at")
        StoredSize.objects.filter(pk__in=passed_over(points, now)).delete()


def _of_lake(now: datetime) -> list[StoredSize]:
    redis = get_redis()
    found = [(table.name, last_care(redis, table)) for table in (REQUESTS, OUTCOMES)]
    return [
        StoredSize(
            subject=name,
            at=now,
            rows=care.state.rows,
            bytes=care.state.bytes_on_disk,
            files=care.state.files_on_disk,
        )
        for name, care in found
        if care is not None
    ]


def _of_database(now: datetime) -> list[StoredSize]:
    return [
        StoredSize(
            subject=name,
            at=now,
            rows=model._default_manager.count(),
            bytes=_characters(model._default_manager.all(), columns),
        )
        for name, (model, columns) in DATABASE.items()
    ]


def _characters(rows: QuerySet[Any], columns: tuple[str, ...]) -> int:
    """Of JSON, which is written with one byte each, but for names that people gave."""
    lengths = [Coalesce(Sum(Length(Cast(F(column), TextField()))), 0) for column in columns]
    return sum(rows.aggregate(**dict(zip(columns, lengths, strict=True))).values())
