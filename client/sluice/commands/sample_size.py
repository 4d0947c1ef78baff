"""`sluice sample-size`: how many users and days a plan needs."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from sluice.commands.options import AsJson, Key, connect
from sluice.commands.output import Output
from sluice.problems import ExitCode
from sluice.reports.numbers import number

Baselines = Annotated[
    list[str] | None,
    typer.Option(
        "--baseline",
        help="A metric's value today, METRIC=VALUE; of a mean or a quantile METRIC=VALUE:STANDARD_DEVIATION. Any "
        "number of times.",
    ),
]


def sample_size(
    key: Key,
    *,
    users_per_hour: Annotated[float | None, typer.Option(help="Users of the endpoint in an hour.")] = None,
    baseline: Baselines = None,
    as_json: AsJson = False,
) -> int:
    """Forecast a draft's users and days; what is stated counts more than the last 7 days of its endpoint."""
    stated: dict[str, Any] = {"baselines": dict(map(_baseline, baseline or []))}
    if users_per_hour is not None:
        stated["users_per_hour"] = users_per_hour
    with connect() as client:
        found = client.forecast(key, stated)
    output = Output(as_json=as_json)
    if as_json:
        output.document(found)
    else:
        output.say(found["summary"])
        output.table(("metric", "candidate", "value today", "users needed", ""), map(_row, found["metrics"]))
    return ExitCode.PASSED


def _baseline(text: str) -> tuple[str, dict[str, float]]:
    metric, _, values = text.partition("=")
    value, _, spread = values.partition(":")
    try:
        found = {"value": float(value)} | ({"standard_deviation": float(spread)} if spread else {})
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no METRIC=VALUE.", param_hint="--baseline") from error
    return metric, found


def _row(needs: Mapping[str, Any]) -> tuple[str, ...]:
    obstacle = needs["obstacle"]
    why = obstacle["detail"] if obstacle else ""
    return needs["metric"], needs["variant"], number(needs["baseline"]), number(needs["units"]), why
