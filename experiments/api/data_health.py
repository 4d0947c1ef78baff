"""REST of the data's health."""

import redis
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controlplane.api.schema import READ_PROBLEMS, problem
from controlplane.problems.errors import Unavailable
from controlplane.storage.redis_connections import get_redis
from experiments.data_health.report import read_report


class GapsSerializer(serializers.Serializer[object]):
    """Batches that were gone before they were collected."""

    count = serializers.IntegerField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()


class LostRowsSerializer(serializers.Serializer[object]):
    """Rows of one backend that an edge could not record."""

    backend = serializers.CharField()
    rows = serializers.IntegerField(allow_null=True, help_text="Null: nobody can tell.")
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()


class EdgeHealthSerializer(serializers.Serializer[object]):
    """What of one edge's requests is in the lake."""

    name = serializers.CharField()
    heard_at = serializers.DateTimeField()
    newest = serializers.DateTimeField(allow_null=True, help_text="Time of its newest request in the lake.")
    lag_seconds = serializers.FloatField(allow_null=True, help_text="How late that one was collected.")
    waiting = serializers.IntegerField(help_text="Batches that are not collected yet.")
    gaps = GapsSerializer(allow_null=True)
    lost = LostRowsSerializer(many=True)


class ShareLineSerializer(serializers.Serializer[object]):
    """Requests of an arm, or of an endpoint outside of experiments, and how many lack something."""

    endpoint = serializers.CharField()
    experiment = serializers.CharField(allow_blank=True)
    variant = serializers.CharField(allow_blank=True)
    requests = serializers.IntegerField()
    without_unit = serializers.IntegerField()
    without_usage = serializers.IntegerField()
    without_outcome = serializers.IntegerField()


class SharesSerializer(serializers.Serializer[object]):
    """Of the six hours before a moment."""

    at = serializers.DateTimeField()
    lines = ShareLineSerializer(many=True)


class TableSizeSerializer(serializers.Serializer[object]):
    """One table of the lake or the database."""

    subject = serializers.CharField()
    at = serializers.DateTimeField()
    rows = serializers.IntegerField()
    bytes = serializers.IntegerField()
    files = serializers.IntegerField(allow_null=True)
    a_day = serializers.IntegerField(allow_null=True, help_text="Bytes that it grew by in a day; null: not known yet.")


class CareFailureSerializer(serializers.Serializer[object]):
    """What keeps a table from being put in order."""

    since = serializers.DateTimeField()
    at = serializers.DateTimeField()
    reason = serializers.CharField()


class TidyStateSerializer(serializers.Serializer[object]):
    """When a table of the lake was last put in order."""

    table = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    failure = CareFailureSerializer(allow_null=True)


class BacklogSerializer(serializers.Serializer[object]):
    """What waits."""

    requests = serializers.IntegerField(help_text="Batches in Redis.")
    outcomes = serializers.IntegerField(help_text="Batches in Redis.")
    imports = serializers.IntegerField(help_text="Files.")
    import_bytes = serializers.IntegerField()
    import_since = serializers.DateTimeField(allow_null=True, help_text="When the one that waits longest last moved.")


class HealthProblemSerializer(serializers.Serializer[object]):
    """What is wrong, of what, and what to do next."""

    about = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()
    next_step = serializers.CharField()


class HealthReportSerializer(serializers.Serializer[object]):
    """All of it, as it was told and counted last."""

    at = serializers.DateTimeField()
    problems = HealthProblemSerializer(many=True)
    edges = EdgeHealthSerializer(many=True)
    shares = SharesSerializer(allow_null=True)
    sizes = TableSizeSerializer(many=True)
    tidied = TidyStateSerializer(many=True)
    backlog = BacklogSerializer()


class DataHealthView(APIView):
    """How fresh and whole the data are, and how large."""

    @extend_schema(
        description="What edges, collector and caretaker told last of the data, and what is counted now and then: how "
        "late rows are, what is missing, what requests lack by endpoint and arm, how large tables are and what waits.",
        responses={200: HealthReportSerializer, **READ_PROBLEMS, 503: problem("Redis does not answer.")},
    )
    def get(self, request: Request) -> Response:
        """The report."""
        try:
            report = read_report(get_redis(), timezone.now())
        except redis.RedisError as error:
            raise Unavailable(
                "data-health-unavailable",
                "Redis does not answer, which knows how the data are.",
                next_step="Try again once it does.",
            ) from error
        return Response(HealthReportSerializer(report).data)
