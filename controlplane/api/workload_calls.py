"""A token of minutes for a workload of CI."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controlplane.accounts.exchange_workload import exchange_workload
from controlplane.api.fields import StrictSerializer
from controlplane.api.schema import WRITE_PROBLEMS


class WorkloadSerializer(StrictSerializer):
    """What the platform gave the job."""

    jwt = serializers.CharField(max_length=16_384)


class WorkloadTokenSerializer(serializers.Serializer[object]):
    """A token, and what it may."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
    scopes = serializers.ListField(child=serializers.CharField())
    endpoints = serializers.ListField(child=serializers.CharField(), help_text="None: all.")


class WorkloadView(APIView):
    """Who a workload is, its JWT says."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="exchange_workload_jwt",
        description="Exchange the JWT that GitHub or GitLab gives a job for a token of some minutes. Which jobs get "
        "one, and what it may, is said by rules on the claims.",
        auth=[],
        request=WorkloadSerializer,
        responses={201: WorkloadTokenSerializer, **WRITE_PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Exchange it."""
        sent = WorkloadSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        token, ends, rule = exchange_workload(sent.validated_data["jwt"])
        told = {"token": token, "expires_at": ends, "scopes": rule.scopes, "endpoints": rule.endpoints}
        return Response(WorkloadTokenSerializer(told).data, status=status.HTTP_201_CREATED)
