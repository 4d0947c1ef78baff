"""The gate of a pipeline: one read that says whether to go on, and may wait until that is known."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controlplane.api.schema import READ_PROBLEMS, problem
from experiments.api.waiting import LONGEST_WAIT_SECONDS, wait_until_decided
from experiments.models import Decision, Experiment
from experiments.models.experiment import ENDED_STATES, State
from experiments.presenters.gate import EXIT_CODES, NOT_MEASURED, UNDECIDED, read_gate

TRY_AGAIN_SECONDS = 15

RETRY_AFTER = OpenApiParameter(
    "Retry-After",
    int,
    OpenApiParameter.HEADER,
    response=[200],
    description="As many others wait as may at once, or the server is about to end: this is the state now, and asking "
    "again after so many seconds is right.",
)


class WaitSerializer(serializers.Serializer[object]):
    """How long to wait for a decision."""

    wait = serializers.IntegerField(
        required=False,
        default=0,
        min_value=0,
        max_value=LONGEST_WAIT_SECONDS,
        help_text="Seconds to wait for a decision; without one the answer says what is the case then.",
    )


class GateDecisionSerializer(serializers.ModelSerializer[Decision]):
    """What was decided last, by whom, and why."""

    variant = serializers.CharField(source="variant_key")

    class Meta:
        model = Decision
        fields = ("kind", "code", "reason", "actor", "at", "variant")


class GateSerializer(serializers.Serializer[object]):
    """Whether an experiment is decided, and what a pipeline does with that."""

    key = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=State.choices)
    decided = serializers.BooleanField(help_text="Whether it has ended.")
    outcome = serializers.ChoiceField(
        choices=[*((state.value, state.label) for state in ENDED_STATES), (UNDECIDED, "Undecided")],
        help_text="How it ended.",
    )
    exit_code = serializers.ChoiceField(
        choices=[*EXIT_CODES.values(), NOT_MEASURED],
        help_text="What the step of a pipeline ends with: 0 promoted, 1 halted, 2 inconclusive, 3 undecided.",
    )
    sentence = serializers.CharField(help_text="What is the case and why, with numbers.")
    decision = GateDecisionSerializer(allow_null=True, help_text="The last one; null before the first.")
    decided_at = serializers.DateTimeField(allow_null=True)
    waits_for = serializers.CharField(help_text="What comes next; empty once it is decided.")
    due_at = serializers.DateTimeField(allow_null=True, help_text="When that comes; null where nobody can tell.")


class GateView(APIView):
    """The gate."""

    endpoint_model = Experiment
    endpoint_path = "endpoint__key"

    @extend_schema(
        description="Whether the experiment is decided, and if not what it waits for. With `wait` the answer comes "
        "once it is decided, or after so many seconds. Few requests wait at once; all others are answered at once, "
        "with `Retry-After`.",
        parameters=[WaitSerializer, RETRY_AFTER],
        responses={200: GateSerializer, 400: problem("`wait` is no number of seconds from 0 to 55."), **READ_PROBLEMS},
    )
    def get(self, request: Request, key: str) -> Response:
        """Read it, and wait first where that was asked for."""
        asked = WaitSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        seconds = asked.validated_data["wait"]
        waited = not seconds or wait_until_decided(key, seconds)
        gate = read_gate(key, timezone.now())
        headers = {"Cache-Control": "no-store"}
        if not waited and not gate.decided:
            headers["Retry-After"] = str(TRY_AGAIN_SECONDS)
        return Response(GateSerializer(gate).data, headers=headers)
