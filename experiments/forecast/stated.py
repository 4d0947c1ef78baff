"""What a user states of metrics and traffic that history does not hold."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from controlplane.problems.errors import FieldProblem, InvalidInput
from controlplane.problems.strict_json import count_fields
from controlplane.problems.strict_numbers import StrictNumbers
from experiments.plan.spec import Key, field_problems
from experiments.stats.core.errors import StatisticsError
from experiments.stats.core.types import MetricPlan
from experiments.stats.metrics import KINDS
from experiments.stats.metrics.kind import MetricKind
from experiments.stats.planning import Baseline, design_effect
from experiments.stats.planning.baseline import mean, share

LARGEST = 1e12
Size = Annotated[float, Field(gt=0, le=LARGEST, allow_inf_nan=False)]


class _Stated(StrictNumbers):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StatedBaseline(_Stated):
    """A metric as it is today.

    A share of users needs its value alone; a mean or a quantile also the standard deviation between users. For a ratio
    say how it varies between requests; without a standard deviation it is a share of requests.
    """

    value: float = Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)
    standard_deviation: Size | None = Field(None, description="Between users; for ratios, between requests.")
    requests_per_user: float = Field(1.0, ge=1, le=1e6, description="For ratios: requests that a user sends.")
    correlation: float = Field(
        0.0, ge=0, le=1, description="For ratios: how alike one user's requests are, from 0 to 1."
    )


class Stated(_Stated):
    """What is stated counts more than history."""

    users_per_hour: Size | None = Field(None, description="Distinct users of the endpoint in an hour.")
    exponent: float | None = Field(
        None, gt=0, le=1, description="1 if every hour brings as many new users, less if they come back (0.5 to 0.8)."
    )
    baselines: dict[Key, StatedBaseline] = Field(default_factory=dict, description="By the key of the metric.")

    @model_validator(mode="after")
    def _exponent_has_users(self) -> Self:
        if self.exponent is not None and self.users_per_hour is None:
            raise ValueError("exponent says how users_per_hour grow, so state both")
        return self


NOTHING = Stated()  # type: ignore[call-arg,unused-ignore]


def read_stated(data: Mapping[str, Any]) -> Stated:
    """Check plain data. Raises `InvalidInput` that names every field that is wrong."""
    try:
        return Stated.model_validate(data)
    except ValidationError as error:
        raise _invalid(field_problems(error, "body")) from error


def stated_baselines(stated: Stated, metrics: tuple[MetricPlan, ...]) -> dict[str, Baseline]:
    """What is stated of each metric. Raises `InvalidInput` that names every field that makes no sense."""
    plans = {metric.key: metric for metric in metrics}
    found: dict[str, Baseline] = {}
    problems: list[FieldProblem] = []
    for key, each in stated.baselines.items():
        try:
            found[key] = _baseline(KINDS[plans[key].type], each)
        except KeyError:
            problems.append(FieldProblem(f"baselines.{key}", "The plan has no such metric."))
        except StatisticsError as error:
            problems.append(FieldProblem(f"baselines.{key}.{_field(KINDS[plans[key].type], each)}", str(error)))
    if problems:
        raise _invalid(tuple(problems))
    return found


def _baseline(kind: MetricKind, stated: StatedBaseline) -> Baseline:
    if kind.is_share:
        return share(stated.value)
    spread = stated.standard_deviation or 0.0
    if kind.is_scaled:
        return mean(stated.value, spread)
    one_request = mean(stated.value, spread) if spread else share(stated.value)
    effect = design_effect(stated.requests_per_user, correlation=stated.correlation, variation=1.0)
    variance = one_request.unit_variance * effect / stated.requests_per_user
    return Baseline(stated.value, variance, denominator=stated.requests_per_user)


def _field(kind: MetricKind, stated: StatedBaseline) -> str:
    """The field that is to be blamed when a baseline makes no sense."""
    lacks_spread = kind.is_scaled and stated.standard_deviation is None
    return "standard_deviation" if lacks_spread else "value"


def _invalid(problems: tuple[FieldProblem, ...]) -> InvalidInput:
    return InvalidInput(
        "invalid-baselines",
        f"{count_fields(problems)} not usable: {problems[0].field}: {problems[0].message}",
        next_step="Correct what `problems` names and send it again.",
        problems=problems,
    )
