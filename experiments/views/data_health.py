"""The page of the data's health."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from controlplane.storage.redis_connections import glance_at_redis
from controlplane.web.pages import page
from experiments.data_health.report import read_report


@require_safe
def data_health(request: HttpRequest) -> HttpResponse:
    """How fresh and whole the data are, and how large; what is wrong comes first."""
    try:
        report = read_report(glance_at_redis(), timezone.now())
    except RedisError:
        report = None
    return page(request, "experiments/data_health.html", {"report": report})
