"""Which workloads of CI get a token, by what the JWT says that their platform gives them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Scope = Literal["read", "events", "flags", "plan", "start", "halt", "promote", "admin"]

WHOSE = ("sub", "repository", "repository_id", "project_path", "project_id")
"""Claims that name one repository or project: everybody else's jobs have JWTs of the same issuer."""


class WorkloadRule(BaseModel):
    """Jobs of this issuer whose JWT is for this audience and has these claims get a token of some minutes.

    It is one of the account's, limited to the scopes and, where some are named, to the endpoints.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: Annotated[str, Field(pattern=r"^https://[^/?#@]+(/[^?#]*)?$")]
    audience: Annotated[str, Field(min_length=1)]
    claims: Annotated[dict[str, str], Field(min_length=1)]
    account: Annotated[str, Field(min_length=1)]
    scopes: Annotated[list[Scope], Field(min_length=1)]
    endpoints: list[str] = []
    minutes: Annotated[int, Field(ge=1, le=60)] = 15

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if not set(self.claims) & set(WHOSE):
            raise ValueError(f"Name whose jobs they are, by one of the claims {', '.join(WHOSE)}.")
        return self

    def takes(self, claims: Mapping[str, Any]) -> bool:
        """Whether verified claims are those of such a job.

        >>> rule = WorkloadRule(issuer="https://ci.example", audience="sluice", claims={"repository": "acme/models"},
        ...                     account="ci", scopes=["start"])
        >>> told = {"iss": "https://ci.example", "aud": ["sluice"], "repository": "acme/models"}
        >>> rule.takes(told), rule.takes(told | {"repository": "acme/other"}), rule.takes(told | {"aud": "other"})
        (True, False, False)
        """
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        alike = all(claims.get(name) == value for name, value in self.claims.items())
        return claims.get("iss") == self.issuer and self.audience in audiences and alike
