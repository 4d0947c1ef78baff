"""An experiment as people write it down: the one form behind the API, the UI and files."""

import math
from collections.abc import Mapping
from copy import copy
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from controlplane.problems.errors import FieldProblem, InvalidInput
from controlplane.problems.strict_json import count_fields
from controlplane.problems.strict_numbers import StrictNumbers
from experiments.evidence.conditions import CONDITION_COLUMNS
from experiments.models.default_guardrails import DEFAULT_MARGINS
from experiments.models.experiment import Kind
from experiments.stats.core.types import MarginKind, Role
from routing.models.stored_lists import ConditionText
from routing.table import BUCKETS, BasisPoints, enough_buckets


def _known_default(key: str) -> str:
    if key not in DEFAULT_MARGINS:
        raise ValueError(f"use one of {', '.join(DEFAULT_MARGINS)}")
    return key


def _known_dimension(name: str) -> str:
    if name not in CONDITION_COLUMNS:
        raise ValueError(f"use one of {', '.join(CONDITION_COLUMNS)}")
    return name


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("give it a name that can be seen")
    return text


Key = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63)]
DefaultGuardrail = Annotated[str, AfterValidator(_known_default)]
Dimension = Annotated[str, AfterValidator(_known_dimension)]
Percent = Annotated[float, Field(ge=0.01, le=100)]
Parameters = dict[Annotated[str, Field(max_length=100)], Annotated[str, Field(max_length=2000)]]

LARGEST = 1e12
LARGEST_EFFECT = 10.0
"""Ten times what the control has: whoever looks for nothing smaller sees no harm."""

MOST_FAILURES_A_SECOND = 20
SMALLEST_CONTROL = 0.05
"""The control's share of the users; beside a smaller one harm is seen late, as it takes users of both."""


class _Spec(StrictNumbers):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class VariantSpec(_Spec):
    """One arm: a key, the backend that serves it, its weight beside the others, and what it changes of requests."""

    key: Key
    backend: Key
    weight: int = Field(1, ge=1, le=1000, description="Its share of the users, in proportion to the others'.")
    headers: Parameters = Field({}, max_length=20, description="Headers that its requests get, by name.")
    query: Parameters = Field({}, max_length=20, description="Query parameters that its requests get, by name.")


class StageSpec(_Spec):
    """One step of the ramp: coverage in per cent of each variant's users, and the shortest stay."""

    coverage: Percent = Field(description="Per cent of each variant's users that is in.")
    soak_seconds: int = Field(ge=0, le=90 * 86_400, description="Shortest time to stay on this stage.")


class MetricSpec(_Spec):
    """A metric's part in the plan."""

    metric: Key
    role: Role
    margin: float = Field(0, ge=0, le=LARGEST, description="Harm that a guardrail accepts.")
    margin_kind: MarginKind = MarginKind.RELATIVE
    minimum_effect: float = Field(
        0.05, ge=1e-6, le=LARGEST_EFFECT, description="Smallest effect that matters, relative to the control."
    )
    covariate: bool = Field(
        False,
        description="Whether it is adjusted by what it was of the same users before the experiment (CUPED).",
    )


class PlanSpec(_Spec):
    """Error rates, rhythm and stages."""

    stages: tuple[StageSpec, ...] = Field(min_length=1, max_length=50)
    metrics: tuple[MetricSpec, ...] = Field(min_length=1, max_length=100)
    alpha: float = Field(0.05, ge=1e-6, le=0.2, description="Chance to promote a version that is not better.")
    halt_alpha: float = Field(0.01, ge=1e-4, le=0.2, description="Chance to halt a harmless version.")
    power: float = Field(
        0.8, ge=0.01, le=0.9999, description="Chance to see an effect of the smallest size that matters."
    )
    tick_seconds: float = Field(10, ge=1, le=600, description="Harm is checked for this often.")
    maximum_seconds: int = Field(
        14 * 86_400, ge=1, le=365 * 86_400, description="Without a verdict by then it is inconclusive."
    )
    minimum_units: int = Field(
        100,
        ge=2,
        le=10_000_000,
        description="In each variant, before anything is decided; a halt waits for 1,000 at most.",
    )
    looks: int = Field(20, ge=1, le=100, description="Looks at which promotion may be decided.")
    spending: Literal["obrien-fleming", "pocock"] = Field("obrien-fleming", description="How looks share alpha.")
    switched_off: tuple[DefaultGuardrail, ...] = Field(
        (), description="Default guardrails that this plan switches off."
    )
    dimensions: tuple[Dimension, ...] = Field(
        (),
        max_length=len(CONDITION_COLUMNS),
        description="Results are also shown by these columns of a user's first request; that decides nothing.",
    )

    covariate_days: int = Field(
        14, ge=1, le=90, description="Days before the experiment by which metrics with a covariate are adjusted."
    )

    @property
    def default_guardrails(self) -> tuple[MetricSpec, ...]:
        """Those that are neither listed nor switched off."""
        listed = {metric.metric for metric in self.metrics}
        return tuple(
            MetricSpec(
                metric=key,
                role=Role.GUARDRAIL,
                margin=accepted.margin,
                margin_kind=accepted.margin_kind,
                minimum_effect=accepted.minimum_effect,
            )
            for key, accepted in DEFAULT_MARGINS.items()
            if key not in listed and key not in self.switched_off
        )

    @model_validator(mode="after")
    def _coverage_only_grows(self) -> Self:
        # As edges have it: 10 % and 10.001 % are the same users.
        coverages = [BasisPoints.of_percent(stage.coverage) for stage in self.stages]
        if any(later <= earlier for earlier, later in pairwise(coverages)):
            raise ValueError("each stage's coverage must be larger than the one before, by 0.01 at least")
        return self

    @model_validator(mode="after")
    def _time_suffices(self) -> Self:
        if sum(stage.soak_seconds for stage in self.stages) > self.maximum_seconds:
            raise ValueError("the stages together soak for longer than maximum_seconds allows")
        return self

    @model_validator(mode="after")
    def _dimensions_differ(self) -> Self:
        if len(set(self.dimensions)) < len(self.dimensions):
            raise ValueError("a dimension may appear only once")
        return self

    @model_validator(mode="after")
    def _metrics_can_decide(self) -> Self:
        names = [metric.metric for metric in self.metrics]
        if len(set(names)) < len(names):
            raise ValueError("a metric may appear only once")
        for metric in self.metrics:
            if metric.metric in DEFAULT_MARGINS and metric.role is not Role.GUARDRAIL and not self._is_off(metric):
                raise ValueError(
                    f"{metric.metric} is a guardrail of every plan; switch it off by name to give it another role"
                )
        if all(metric.role is Role.OBSERVED for metric in self.metrics):
            raise ValueError("at least one metric must be a goal or a guardrail")
        return self

    def _is_off(self, metric: MetricSpec) -> bool:
        return metric.metric in self.switched_off


class GuardSpec(_Spec):
    """When an edge ejects a candidate: the share of its latest requests that failed."""

    requests: int = Field(20, ge=10, le=1000, description="How many of the latest requests count.")
    failing_share: float = Field(0.5, gt=0, le=0.9, description="The share of them that ejects it.")
    window_seconds: float = Field(5, gt=0, le=60, description="Older requests do not count.")
    first_byte_ms: float = Field(
        0, ge=0, le=3_600_000, description="An answer that begins later is a failure; 0 means no limit."
    )

    @model_validator(mode="after")
    def _window_suffices(self) -> Self:
        failures = math.ceil(self.requests * self.failing_share)
        if failures > 1 and failures > MOST_FAILURES_A_SECOND * self.window_seconds:
            raise ValueError(
                f"{failures} failures within {self.window_seconds:g} seconds never come together, so that this guard "
                f"could never eject; ask for {MOST_FAILURES_A_SECOND} a second at most"
            )
        return self


class ExperimentSpec(_Spec):
    """A whole experiment, ready to be created as a draft."""

    key: Key
    name: Annotated[str, AfterValidator(_not_blank)] = Field(min_length=1, max_length=100)
    hypothesis: str = Field("", max_length=10_000)
    kind: Kind = Kind.CANARY
    endpoint: Key
    traffic: Percent = Field(100, description="Per cent of the endpoint's users that take part.")
    audience: tuple[ConditionText, ...] = Field(
        (),
        max_length=10,
        description="Only users who meet all of these, like `x-country is DE, FR`.",
    )
    control: VariantSpec
    candidates: tuple[VariantSpec, ...] = Field(min_length=1, max_length=10)
    plan: PlanSpec
    guard: GuardSpec | None = Field(GuardSpec(), description="The edge's own guard; null for none.")

    @model_validator(mode="after")
    def _variants_differ(self) -> Self:
        keys = [variant.key for variant in (self.control, *self.candidates)]
        if len(set(keys)) < len(keys):
            raise ValueError("each variant needs a key of its own")
        return self

    @model_validator(mode="after")
    def _control_suffices(self) -> Self:
        share = self.control.weight / sum(variant.weight for variant in (self.control, *self.candidates))
        if share < SMALLEST_CONTROL:
            raise ValueError(
                f"the control has {share:.1%} of the users, too few to show harm beside; "
                f"give it {SMALLEST_CONTROL:.0%} at least"
            )
        return self


def _may_be_left_out(field: FieldInfo) -> FieldInfo:
    optional = copy(field)
    optional.default, optional.default_factory = PydanticUndefined, dict
    return optional


_CHANGES: dict[str, Any] = {
    name: (field.annotation, _may_be_left_out(field)) for name, field in ExperimentSpec.model_fields.items()
}
DraftChanges = create_model(
    "DraftChanges",
    __base__=_Spec,
    __doc__="Some fields of an experiment; each replaces all of what a draft has there.",
    **_CHANGES,
)
"""To describe what a change holds; it is read as the whole experiment that comes of it."""


@cache
def described(spec: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """What a spec says of each of its fields, in the words of JSON schema: type, limits, default and description."""
    found: dict[str, dict[str, Any]] = spec.model_json_schema()["properties"]
    return found


def read_spec(data: Mapping[str, Any]) -> ExperimentSpec:
    """Check plain data against the form. Raises `InvalidInput` that names every field that is wrong."""
    try:
        spec = ExperimentSpec.model_validate(data)
    except ValidationError as error:
        raise _invalid(field_problems(error, "experiment")) from error
    _check_traffic(spec)
    return spec


def _check_traffic(spec: ExperimentSpec) -> None:
    """Refuse traffic that leaves a variant without a bucket. Raises `InvalidInput`."""
    variants = (spec.control, *sorted(spec.candidates, key=lambda variant: variant.key))
    weights = [variant.weight for variant in variants]
    buckets = BasisPoints.of_percent(spec.traffic)
    enough = enough_buckets(buckets, weights)
    if enough == buckets:
        return
    instead = f"set at least {BasisPoints(enough).percent:g}" if enough else "make the weights more alike"
    least = f"{spec.traffic:g} % is {buckets} of {BUCKETS} buckets, and with the weights {_listed(weights)} a variant"
    raise _invalid((FieldProblem("traffic", f"{least} would have none; {instead}."),))


def _listed(weights: list[int]) -> str:
    return " and ".join((", ".join(map(str, weights[:-1])), str(weights[-1])))


def _invalid(problems: tuple[FieldProblem, ...]) -> InvalidInput:
    return InvalidInput(
        "invalid-experiment",
        f"{count_fields(problems)} not usable: {problems[0].field}: {problems[0].message}",
        next_step="Correct what `problems` names and send it again.",
        problems=problems,
    )


def field_problems(error: ValidationError, whole: str) -> tuple[FieldProblem, ...]:
    """One problem a message; `whole` names what is wrong as a whole."""
    return tuple(
        FieldProblem(".".join(str(part) for part in item["loc"]) or whole, _sentence(item["msg"]))
        for item in error.errors()
    )


def _sentence(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text[:1].upper() + text[1:] + "."
