"""What of a report is wrong, each with what to do next. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta

from controlplane.problems.problem import Problem
from controlplane.web.shares import percent
from experiments.data_health.shares import ShareLine
from experiments.data_health.types import Backlog, EdgeHealth, HealthProblem, HealthReport, TidyState

SILENT_AFTER = timedelta(seconds=10)
LATE_AFTER = timedelta(seconds=30)
MANY_WAIT = 100
IMPORT_WAITS_FOR = timedelta(minutes=30)
TIDY_AFTER = timedelta(minutes=30)
FEWEST_REQUESTS = 100
SHARE_WITHOUT = 0.05
"""From this share of requests on, a lack is told; between arms of an experiment, this difference."""

LACKS = {
    "unit": "have no user, so that no experiment measures them",
    "usage": "do not tell their tokens, so that tokens and costs are of the others alone",
    "outcome": "have no outcome",
}
NEXT_STEPS = {
    "unit": "Compare where the endpoint looks for the user's id with what clients send; the column without_unit of the "
    "lake says why it found none.",
    "usage": "Have clients or the backend ask for usage in streams (stream_options.include_usage).",
    "outcome": "Check that whoever sends outcomes sends those of both arms alike, with the request's own id.",
}


def find_problems(report: HealthReport) -> Iterator[HealthProblem]:
    """All that is wrong, in the order of the report."""
    for edge in report.edges:
        yield from (HealthProblem(f"edge {edge.name}", problem) for problem in _of_edge(edge, report))
    lines = report.shares.lines if report.shares else ()
    yield from _of_shares(lines)
    for table in report.tidied:
        yield from (HealthProblem(f"table {table.table}", problem) for problem in _of_table(table, report))
    yield from (HealthProblem("imports", problem) for problem in _of_imports(report.backlog, report))


def _of_edge(edge: EdgeHealth, report: HealthReport) -> Iterator[Problem]:
    if report.at - edge.heard_at > SILENT_AFTER:
        detail = f"Edge {edge.name} was last heard from at {edge.heard_at:%Y-%m-%d %H:%M:%S} UTC."
        yield Problem.of("edge-silent", detail, "Check that its machine and its agent run, or retire it.")
    if edge.lag is not None and edge.lag > LATE_AFTER:
        detail = f"The newest request of edge {edge.name} was collected {edge.lag.total_seconds():.0f} s after it came."
        yield Problem.of("edge-late", detail, "Check its link to Redis, its clock, and that the collector keeps up.")
    if edge.waiting > MANY_WAIT:
        detail = f"{edge.waiting} batches of edge {edge.name} wait to be collected."
        yield Problem.of("requests-wait", detail, "Check that the collector runs and reaches the lake.")
    if edge.gaps is not None:
        detail = f"Batches of edge {edge.name} were gone before they were collected, {_times(edge.gaps.count)}."
        next_step = "Let nobody trim its stream, and give Redis memory and a disk: experiments of then lack rows."
        yield Problem.of("rows-missing", detail, next_step)
    if edge.lost:
        detail = f"Edge {edge.name} could not record answers: {', '.join(map(str, edge.lost))}."
        yield Problem.of(
            "rows-lost",
            detail,
            "Check that its disk is not full and that nobody empties Redis; each experiment's page says what follows.",
        )


def _of_shares(lines: Sequence[ShareLine]) -> Iterator[HealthProblem]:
    by_endpoint: dict[str, list[ShareLine]] = defaultdict(list)
    by_experiment: dict[str, list[ShareLine]] = defaultdict(list)
    for line in lines:
        by_endpoint[line.endpoint].append(line)
        if line.experiment:
            by_experiment[line.experiment].append(line)
    for endpoint, found in by_endpoint.items():
        yield from _of_endpoint(endpoint, found)
    for experiment, found in by_experiment.items():
        yield from _of_arms(experiment, found)


def _of_endpoint(endpoint: str, lines: Sequence[ShareLine]) -> Iterator[HealthProblem]:
    """What all tell or none does is how the endpoint is meant to be; what only some tell is a lack."""
    requests = sum(line.requests for line in lines)
    for lack in ("unit", "usage"):
        share = sum(_without(line, lack) for line in lines) / requests if requests else 0.0
        if requests >= FEWEST_REQUESTS and SHARE_WITHOUT < share < 1 - SHARE_WITHOUT:
            detail = f"{percent(share)} of the requests of endpoint {endpoint} {LACKS[lack]}."
            yield HealthProblem(f"endpoint {endpoint}", Problem.of(f"without-{lack}", detail, NEXT_STEPS[lack]))


def _of_arms(experiment: str, lines: Sequence[ShareLine]) -> Iterator[HealthProblem]:
    """What one arm's requests lack more often than another's."""
    enough = [line for line in lines if line.requests >= FEWEST_REQUESTS]
    for lack in ("usage", "outcome"):
        shares = sorted((_without(line, lack) / line.requests, line.variant) for line in enough)
        if len(shares) > 1 and shares[-1][0] - shares[0][0] > SHARE_WITHOUT:
            (least, fewest), (most, others) = shares[0], shares[-1]
            detail = f"{percent(most)} of the requests of {others} and {percent(least)} of {fewest} {LACKS[lack]}."
            problem = Problem.of(f"without-{lack}-by-arm", detail, NEXT_STEPS[lack])
            yield HealthProblem(f"experiment {experiment}", problem)


def _without(line: ShareLine, lack: str) -> int:
    return {"unit": line.without_unit, "usage": line.without_usage, "outcome": line.without_outcome}[lack]


def _of_table(table: TidyState, report: HealthReport) -> Iterator[Problem]:
    if table.failure is not None:
        detail = f"The table {table.table} cannot be kept in order since {table.failure.since:%Y-%m-%d %H:%M:%S} UTC: "
        next_step = "Mend what it names: until then files grow, and rows past their time stay."
        yield Problem.of("caretaker-failing", detail + table.failure.reason, next_step)
    elif table.at is not None and report.at - table.at > TIDY_AFTER:
        detail = f"The table {table.table} was last put in order at {table.at:%Y-%m-%d %H:%M:%S} UTC."
        yield Problem.of("caretaker-silent", detail, "Check that the collector runs: it looks after the lake too.")


def _of_imports(backlog: Backlog, report: HealthReport) -> Iterator[Problem]:
    if backlog.import_since is not None and report.at - backlog.import_since > IMPORT_WAITS_FOR:
        detail = (
            f"{backlog.imports} imports are not done, the oldest since {backlog.import_since:%Y-%m-%d %H:%M:%S} UTC."
        )
        yield Problem.of(
            "imports-wait", detail, "See the page of outcomes for what keeps them, or send the rest of the file."
        )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
