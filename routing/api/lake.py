"""REST of the lake: how large its tables are, and when they were last put in order."""

from dataclasses import asdict

import redis
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controlplane.api.schema import READ_PROBLEMS, problem
from controlplane.problems.errors import Unavailable
from controlplane.storage.redis_connections import get_redis
from routing.lake.care import last_care
from routing.lake.schema import OUTCOMES, REQUESTS, LakeTable


class TableSerializer(serializers.Serializer[object]):
    """One table, as it was when it was last put in order."""

    table = serializers.CharField()
    at = serializers.DateTimeField(help_text="When it was last put in order.")
    seconds = serializers.FloatField(help_text="How long that took.")
    version = serializers.IntegerField()
    rows = serializers.IntegerField()
    files = serializers.IntegerField(help_text="Files of the newest version.")
    bytes = serializers.IntegerField()
    files_on_disk = serializers.IntegerField(help_text="With those of old versions, and the log.")
    bytes_on_disk = serializers.IntegerField()


class LakeView(APIView):
    """The state of the lake."""

    @extend_schema(
        description="How large the tables of the lake are, and when they were last merged and cleaned, which happens "
        "every five minutes; without a table that was not yet.",
        responses={200: TableSerializer(many=True), **READ_PROBLEMS, 503: problem("Redis does not answer.")},
    )
    def get(self, request: Request) -> Response:
        """All tables."""
        try:
            told = [row for table in (REQUESTS, OUTCOMES) for row in _row(table)]
        except redis.RedisError as error:
            raise Unavailable(
                "lake-state-unavailable",
                "Redis does not answer, which knows the state of the lake.",
                next_step="Try again once it does; the lake itself needs no Redis.",
            ) from error
        return Response(TableSerializer(told, many=True).data)


def _row(table: LakeTable) -> list[dict[str, object]]:
    care = last_care(get_redis(), table)
    return [] if care is None else [{"table": table.name, "at": care.at, "seconds": care.seconds, **asdict(care.state)}]
