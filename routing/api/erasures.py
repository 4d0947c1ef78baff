"""REST of erasures."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from controlplane.api.authentication import request_actor
from controlplane.api.fields import StrictSerializer
from controlplane.api.idempotency import Idempotent
from controlplane.api.permissions import needs
from controlplane.api.schema import READ_PROBLEMS, WRITE_PROBLEMS
from controlplane.models import Right
from controlplane.settings import get_environment
from routing.allocation.unit_identity import NoUnitError, canonical_unit, unit_hash
from routing.erasure.ask_erasure import ask_erasure
from routing.models import Erasure


class ErasureSerializer(serializers.ModelSerializer[Erasure]):
    """An erasure, and what became of it."""

    unit = serializers.CharField(help_text="The unit as the lake has it: text, as it has more digits than JSON keeps.")
    state = serializers.ChoiceField(["asked", "done"])

    class Meta:
        model = Erasure
        fields = ("id", "unit", "asked_at", "by", "reason", "state", "done_at", "requests", "outcomes", "problem")


class AskedSerializer(StrictSerializer):
    """Whom to erase, by one of both names, and why."""

    unit = serializers.RegexField(
        r"^-?\d{1,19}$", required=False, help_text="The keyed hash, as column `unit` of the lake has it."
    )
    user = serializers.CharField(
        required=False, max_length=1000, help_text="The user's own id instead; it is hashed, and kept nowhere."
    )
    reason = serializers.CharField(max_length=10_000, help_text="Stays in the audit trail.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The unit that is meant."""
        if ("unit" in attrs) == ("user" in attrs):
            raise serializers.ValidationError({"unit": "Give either `unit` or `user`."})
        return {
            "unit": self._hashed(attrs["user"]) if "user" in attrs else int(attrs["unit"]),
            "reason": attrs["reason"],
        }

    def validate_unit(self, unit: str) -> str:
        """One that 64 bits can hold."""
        if not -(2**63) <= int(unit) < 2**63:
            raise serializers.ValidationError("A unit is a signed number of 64 bits.")
        return unit

    def _hashed(self, user: str) -> int:
        try:
            return unit_hash(bytes.fromhex(get_environment().unit_key.get_secret_value()), canonical_unit(user))
        except NoUnitError as error:
            raise serializers.ValidationError({"user": str(error)}) from error


@extend_schema_view(
    list=extend_schema(
        description="All erasures, the newest first.",
        responses={200: ErasureSerializer(many=True), **READ_PROBLEMS},
    ),
    retrieve=extend_schema(
        description="One erasure, and how far it is.", responses={200: ErasureSerializer, **READ_PROBLEMS}
    ),
    create=extend_schema(
        description="Have all rows of a user taken out of the lake, out of its old versions too. A worker does it "
        "within a minute or two; one that is asked for and not done yet is asked for once. Needs the role admin.",
        request=AskedSerializer,
        responses={202: ErasureSerializer, **WRITE_PROBLEMS},
    ),
)
class ErasureViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Erasure]):
    """Users whose rows are erased."""

    queryset = Erasure.objects.all()
    permission_classes = (needs(Right.ADMIN, reading=Right.READ),)
    serializer_class = ErasureSerializer

    def create(self, request: Request) -> Response:
        """Ask for one."""
        sent = AskedSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        asked = sent.validated_data
        erasure = ask_erasure(asked["unit"], actor=request_actor(request), reason=asked["reason"])
        return Response(ErasureSerializer(erasure).data, status=status.HTTP_202_ACCEPTED)
