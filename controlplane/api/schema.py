"""Shapes that every operation's description shares."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiResponse
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS

from controlplane.api.idempotency import IDEMPOTENCY_KEY, takes_key
from controlplane.api.inlined import inlined
from controlplane.api.permissions import RightPermission
from controlplane.api.problems import CONTENT_TYPE
from controlplane.storage.legible_columns import LegibleField

PROBLEM = {"$ref": "#/components/schemas/Problem"}


class FieldProblemSerializer(serializers.Serializer[object]):
    """One field that was wrong."""

    field = serializers.CharField()
    message = serializers.CharField()
    line = serializers.IntegerField(required=False, help_text="Of a file, where it stands; from 1.")
    column = serializers.IntegerField(required=False, help_text="From 1.")
    allowed = serializers.CharField(required=False, help_text="What it may be; empty where the message says that.")


class ProblemSerializer(serializers.Serializer[object]):
    """An error: a stable code, a human sentence and what to do next."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    next_step = serializers.CharField()
    problems = FieldProblemSerializer(many=True, help_text="The first 20.")
    more_problems = serializers.IntegerField(help_text="How many there are beside these.")
    request_id = serializers.CharField()


def problem(description: str) -> OpenApiResponse:
    """A documented error answer."""
    return OpenApiResponse(ProblemSerializer, description=description)


READ_PROBLEMS = {401: problem("The token is missing or not valid."), 404: problem("There is no such thing.")}
WRITE_PROBLEMS = {
    **READ_PROBLEMS,
    400: problem("Invalid input; every field is named."),
    403: problem("The right that `x-right` names is missing, by the role or by the scopes of the token."),
    409: problem("The present state does not permit it."),
}
CONDITIONAL_PROBLEMS = {**WRITE_PROBLEMS, 412: problem("It is no longer in the state that `If-Match` names.")}
BRAKE_PROBLEMS = {
    202: problem("Done: edges were told. The database could not be written; it is recorded later."),
    503: problem("Recorded, and edges were not told; or neither. The problem says which."),
}


SENT_OTHERWISE = {"422": problem("The `Idempotency-Key` came before with another request.")}
ALWAYS = {
    "400": problem("The request is not usable; what is wrong is named."),
    "401": problem("The token is missing or not valid."),
    "403": problem("The right that `x-right` names is missing, by the role or by the scopes of the token."),
    "503": problem("A part that is needed does not answer; trying again is right."),
}
READING = {"406": problem("Nothing that is answered here has a form that `Accept` names.")}
WRITING = {
    "413": problem("The body is too large."),
    "415": problem("The body is of a kind that is not taken here."),
}


class RightsSchema(AutoSchema):
    """Names the right that each operation needs, as `x-right`, and the key that each write may have."""

    def get_override_parameters(self) -> list[Any]:
        """What views do not say themselves."""
        return [IDEMPOTENCY_KEY] if takes_key(self.view, self.method) else []

    def get_summary(self) -> str:
        """The first sentence of what is said of it."""
        description: str = self.get_description()  # type: ignore[no-untyped-call,unused-ignore]
        return description.partition(". ")[0].partition("\n\n")[0].removesuffix(".").replace("\n", " ")

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """With the problems that views do not name themselves, and all as what they are."""
        operation = super().get_operation(*args, **kwargs)
        if operation:
            for status, told in self._further_problems().items():
                described = self._get_response_for_code(told, status)  # type: ignore[no-untyped-call,unused-ignore]
                operation["responses"].setdefault(status, described)
            for response in operation["responses"].values():
                _name_problem(response)
        return operation

    def _further_problems(self) -> dict[str, OpenApiResponse]:
        reads = self.method in SAFE_METHODS
        sent_otherwise = SENT_OTHERWISE if takes_key(self.view, self.method) else {}
        return {**ALWAYS, **(READING if reads else WRITING), **sent_otherwise}

    def get_extensions(self) -> dict[str, Any]:
        """The right."""
        permissions = self.view.get_permissions()
        rights = [each.right(self.method) for each in permissions if isinstance(each, RightPermission)]
        return {"x-right": rights[0].value} if rights else {}


def _name_problem(response: dict[str, Any]) -> None:
    """A problem is `application/problem+json`, whatever else is answered there."""
    content = response.get("content", {})
    if any(each.get("schema") == PROBLEM for each in content.values()):
        response["content"] = {CONTENT_TYPE: next(iter(content.values()))}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call,unused-ignore]
    """Tells the OpenAPI document about bearer tokens."""

    target_class = "controlplane.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """HTTP bearer authentication."""
        return {"type": "http", "scheme": "bearer", "description": "A token, as made under Tokens in the UI."}


class ShapedField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call,unused-ignore]
    """Tells the OpenAPI document what columns of JSON hold."""

    target_class = "controlplane.api.fields.SayableJSONField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """The shape of the column."""
        column = self.target.parent.Meta.model._meta.get_field(self.target.source)
        return inlined(column.shape.json_schema()) if isinstance(column, LegibleField) else {}
