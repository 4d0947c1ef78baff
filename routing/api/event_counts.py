"""REST reads of what became of outcomes."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from redis.exceptions import RedisError
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controlplane.api.schema import READ_PROBLEMS, problem
from controlplane.problems.errors import Unavailable
from controlplane.storage.redis_connections import get_redis
from routing.intake.belonging import last_belonging
from routing.intake.fates import KEPT, Fate, read_counts


class PeriodSerializer(serializers.Serializer[object]):
    """How far back to look."""

    days = serializers.IntegerField(min_value=1, max_value=KEPT.days, default=7)


class DayCountsSerializer(serializers.Serializer[object]):
    """How many events came in on a day of UTC, each counted once by what became of it."""

    day = serializers.DateField()
    on_time = serializers.IntegerField()
    ahead = serializers.IntegerField(help_text="Taken; their time is up to an hour ahead.")
    late = serializers.IntegerField(help_text="Taken; they are of more than a day ago.")
    out_of_order = serializers.IntegerField(help_text="Taken; older than one before them in their batch.")
    duplicate = serializers.IntegerField(help_text="Their id was known.")
    erased = serializers.IntegerField(help_text="Not taken; they are of before their user was erased.")
    refused_ahead = serializers.IntegerField(help_text="Their time is more than an hour ahead.")
    refused_old = serializers.IntegerField(help_text="Their time is before the year 2000.")
    refused = serializers.IntegerField(help_text="For anything else.")


class BelongingSerializer(serializers.Serializer[object]):
    """What the outcomes of the day before a moment belong to."""

    at = serializers.DateTimeField()
    in_experiment = serializers.IntegerField()
    in_none = serializers.IntegerField(help_text="Their request or unit is known, and in no experiment.")
    unknown_request = serializers.IntegerField(help_text="No request of the last 8 days has this id.")
    unknown_unit = serializers.IntegerField(help_text="The unit has no request in the last 8 days.")


class EventCountsSerializer(serializers.Serializer[object]):
    """What became of outcomes."""

    days = DayCountsSerializer(many=True)
    belonging = BelongingSerializer(allow_null=True, help_text="Counted every ten minutes; null before.")


class EventCountsView(APIView):
    """What became of outcomes, by day."""

    @extend_schema(
        description="How many outcomes were taken, came twice or were refused, by day, the newest first; and what those"
        " of the last day belong to.",
        parameters=[OpenApiParameter("days", int, description=f"1 to {KEPT.days}; 7 unless told otherwise.")],
        responses={200: EventCountsSerializer, **READ_PROBLEMS, 503: problem("Redis is away.")},
    )
    def get(self, request: Request) -> Response:
        """The counts."""
        period = PeriodSerializer(data=request.query_params)
        period.is_valid(raise_exception=True)
        return Response(EventCountsSerializer(event_counts(period.validated_data["days"])).data)


def event_counts(days: int) -> dict[str, Any]:
    """What became of the events of so many days. Raises `Unavailable`."""
    redis = get_redis()
    try:
        counted, belonging = read_counts(redis, days, timezone.now()), last_belonging(redis)
    except RedisError as error:
        raise Unavailable(
            "counts-unavailable", "Redis, which has the counts, does not answer.", next_step="Try again in a moment."
        ) from error
    return {
        "days": [{"day": each.day, **{fate.value: each.counts[fate] for fate in Fate}} for each in counted],
        "belonging": belonging,
    }
