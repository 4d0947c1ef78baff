"""Requests and answers of the protocol, for the API's description alone."""

from typing import Literal

from drf_spectacular.utils import OpenApiResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from rest_framework import serializers

from controlplane.api.schema import ProblemSerializer
from routing.allocation.unit_identity import LONGEST_UNIT


class _Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class FlagContext(_Shape):
    """Who asks. Every other text stands for the request header of its name."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    targeting_key: str = Field(max_length=LONGEST_UNIT, description="Id of the user, as the endpoint reads it.")
    record_exposure: bool = Field(False, description="Record an outcome named `exposure`, once a stage.")


class FlagQuestion(_Shape):
    """What is asked for."""

    context: FlagContext


class FlagMetadata(_Shape):
    """Where the value comes from."""

    endpoint: str
    stage: int
    table_version: int
    backend: str
    exposure_recorded: bool | None = Field(None, description="There when recording was asked for.")


class Flag(_Shape):
    """A flag's value for the unit."""

    key: str
    value: str = Field(description="The name of a variant.")
    reason: Literal["SPLIT", "TARGETING_MATCH", "DEFAULT"]
    variant: str = Field(description="Empty for a user who is not measured.")
    metadata: FlagMetadata


class Flags(_Shape):
    """All flags."""

    flags: list[Flag]


class FlagProblemSerializer(ProblemSerializer):
    """An error, with the protocol's members too."""

    key = serializers.CharField(required=False, help_text="The flag, where one was asked for.")
    errorCode = serializers.CharField()  # noqa: N815 - as the protocol has it
    errorDetails = serializers.CharField()  # noqa: N815


def _problem(description: str) -> OpenApiResponse:
    return OpenApiResponse(FlagProblemSerializer, description=description)


FLAG_PROBLEMS = {
    400: _problem("`PARSE_ERROR`, `INVALID_CONTEXT` or `TARGETING_KEY_MISSING`."),
    401: _problem("The token is missing or not valid."),
    403: _problem("The token may not look, not have exposures recorded, or not force a variant."),
}
NO_FLAG = {404: _problem("`FLAG_NOT_FOUND`: no experiment of this key runs.")}
