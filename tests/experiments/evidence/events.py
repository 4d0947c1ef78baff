"""Generated requests and outcomes: few users, so that everything that can meet does meet."""

from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from controlplane.settings import get_environment
from experiments.evidence import MetricDefinition
from experiments.stats.core.types import MetricType
from tests.factories.rows import START, outcome_row, request_row

METRICS = (
    MetricDefinition("requests_a_user", MetricType.MEAN, "requests"),
    MetricDefinition("error_rate", MetricType.RATIO, "errors", "requests"),
    MetricDefinition("users_with_errors", MetricType.PROPORTION, "errors"),
    MetricDefinition("ttft", MetricType.RATIO, "ttft_ms", "count(ttft_ms)"),
    MetricDefinition("tokens_a_millisecond", MetricType.RATIO, "completion_tokens", "duration_ms"),
    MetricDefinition("cost", MetricType.MEAN, "cost"),
    MetricDefinition("cost_a_request", MetricType.RATIO, "cost", "requests"),
    MetricDefinition("tokens_a_cost", MetricType.RATIO, "completion_tokens", "cost"),
    MetricDefinition("told_tokens", MetricType.PROPORTION, "completion_tokens"),
    MetricDefinition("client_error_rate", MetricType.RATIO, "client_errors", "requests"),
    MetricDefinition("timed_out_rate", MetricType.RATIO, "timed_out", "requests"),
    MetricDefinition("cut_off_rate", MetricType.RATIO, "cut_off", "requests"),
    MetricDefinition("errors_of_mobile", MetricType.RATIO, "errors", "requests", conditions=("client is mobile",)),
    MetricDefinition("cost_of_streams", MetricType.MEAN, "cost", conditions=("stream is true", "edge is not eu.2")),
    MetricDefinition("others", MetricType.PROPORTION, "completion_tokens", conditions=("client contains e, b",)),
    MetricDefinition("ttft_at", MetricType.RATIO, "ttft_ms", "count(ttft_ms)", conditions=("edge starts with eu",)),
    MetricDefinition("unnamed", MetricType.MEAN, "requests", conditions=("client is absent", "stream is present")),
    MetricDefinition("satisfied", MetricType.PROPORTION, "outcome_count(thumbs_up)"),
    MetricDefinition("revenue", MetricType.MEAN, "outcome(sale)"),
    MetricDefinition("revenue_a_request", MetricType.RATIO, "outcome(sale)", "requests"),
)

FEW_ON_SPARK = 3
"""Each history takes Spark seconds."""

AMOUNTS = st.sampled_from([0.1, 0.25, 3.0, 1e6])
UNITS = st.integers(1, 6)
REQUEST_IDS = st.sampled_from([f"r{number}" for number in range(12)])
TIMES = st.integers(-5, 90).map(lambda seconds: (START + timedelta(seconds=seconds)).isoformat())


def rarely(usual: object, *others: object) -> st.SearchStrategy[Any]:
    return st.sampled_from([usual] * 6 + list(others))


def drawn(histories: int) -> settings:
    """So many on DuckDB."""
    return settings(max_examples=FEW_ON_SPARK if get_environment().spark_master else histories)


REQUESTS = st.builds(
    lambda **fields: request_row("") | fields,
    time=TIMES,
    request_id=REQUEST_IDS,
    unit=st.one_of(UNITS, UNITS, UNITS, st.none()),
    experiment=rarely("exp", "other", None),
    variant=rarely("control", "candidate", "candidate", "candidate", None),
    shadow=rarely(False, True),
    forced=rarely(False, True),
    status=rarely(200, 500, 503, 404, 302, 0),
    flags=rarely("", "DC", "UF", "UF,URX", "DC,UC", "UFO", "UPE", "DPE", "UT", "UTX"),
    answered_by=rarely("small", "fallback", None),
    result=st.none()
    | rarely("success", "failed", "timed-out", "rejected", "redirected", "abandoned", "refused", "unknown"),
    failure=rarely(None, "broke-off", "unfinished", "timed-out", "no-answer"),
    edge=st.sampled_from(["eu.1", "eu.2", "us"]),
    client=st.sampled_from(["mobile", "web", None]),
    stream=st.sampled_from([True, False, None]),
    duration_ms=AMOUNTS,
    ttft_ms=st.none() | AMOUNTS,
    completion_tokens=st.none() | st.integers(0, 50),
    cost=st.none() | AMOUNTS,
)

OUTCOMES = st.builds(
    lambda **fields: outcome_row("") | fields | {"received_at": fields["time"]},
    time=TIMES,
    name=st.sampled_from(["thumbs_up", "sale", "other"]),
    value=AMOUNTS | st.just(-2.0),
    unit=st.none() | UNITS,
    request_id=st.none() | st.none() | REQUEST_IDS,
)
