"""Rows of docs/where-to-add.md: what is there already is named in the files that its row tells, and in no others."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

PLACES = (
    *("controlplane", "routing", "experiments", "templates", "deploy", "bench"),
    *("pyproject.toml", "constraints.txt", "docs/settings.md", "docs/dependencies.md", "docs/edges.md", "docs/lake.md"),
)
TEXTS = {".py", ".html", ".lua", ".conf", ".toml", ".txt", ".md"}


@dataclass(frozen=True)
class Row:
    """How its text begins, how one that is there is named, where, and what uses this one in particular."""

    begins: str
    pattern: str
    files: set[str]
    users: set[str] = field(default_factory=set)


ROWS = [
    Row("an alert", r'"disk-full"|`disk-full`', {"routing/alerts/current.py", "docs/edges.md"}),
    Row(
        "a brake",
        r"Verb\.REVOKE\b|\bREVOKE = |BrakeKind\.KEY\b|^class BrakeKind",
        {
            "routing/publishing/waiting_orders.py",
            "routing/publishing/wanted_table.py",
            "routing/table/brakes.py",
            "routing/kill_switch/record_orders.py",
        },
        users={"routing/resources/issue_key.py"},
    ),
    Row(
        "a setting",
        r"\bedge_labels\b|SLUICE_EDGE_LABELS",
        {"controlplane/settings/environment.py", "docs/settings.md"},
        users={"routing/edge/__main__.py", "docs/edges.md"},
    ),
    Row("a process", r"program:beat|,beat\b", {"deploy/supervisord.conf"}),
    Row(
        "a dependency",
        r'^\s*"duckdb\W|^duckdb==|^\| duckdb',
        {"pyproject.toml", "constraints.txt", "docs/dependencies.md"},
    ),
    Row(
        "a row of the calibration table",
        r"\bquiet_ramp\b",
        {"bench/calibration/halting.py", "bench/calibration/__main__.py"},
    ),
    Row("a measure", r'"refusals": "refusal"', {"experiments/evidence/measures.py"}),
    Row(
        "a metric type",
        r"MetricType\.F1\b|metrics import .*\bclassification\b|\bF1 = ",
        {
            "experiments/stats/core/types.py",
            "experiments/stats/metrics/classification.py",
            "experiments/stats/metrics/__init__.py",
        },
    ),
    Row(
        "a field of the request log",
        r"[\"`]answered_by[\"`]|\.answered_by\b|^    answered_by:",
        {
            "routing/envoy/access_log.py",
            "routing/access_log/line.py",
            "routing/access_log/row.py",
            "routing/lake/schema.py",
            "docs/lake.md",
        },
        users={"routing/access_log/results.py", "experiments/evidence/measures.py"},
    ),
    Row("something that the edge answers by itself", "body-compressed", {"routing/envoy/local_replies/problems.py"}),
    Row(
        "a form of error of a protocol",
        r"ErrorForm\.TORCHSERVE|\bTORCHSERVE = \"",
        {"routing/protocols/types.py", "routing/envoy/local_replies/forms.py"},
        users={"routing/protocols/torchserve.py"},
    ),
    Row(
        "a page",
        r"routing_table_list|routing-table-list|routing/tables\.html",
        {"routing/views/table_pages.py", "routing/views/urls.py", "templates/top.html"},
    ),
    Row(
        "an API path",
        r'\bAlertsView\b|^\s+"alerts",$|"edges", "alerts",',
        {"routing/api/alert_list.py", "routing/api/urls.py", "controlplane/catalogue/index.py"},
    ),
    Row(
        "a chart",
        r"charts\.forest import|^def forest_plot",
        {"experiments/charts/forest.py", "experiments/presenters/live.py", "experiments/presenters/comparison.py"},
    ),
    Row(
        "a way to match requests",
        r'(endpoint|asked|form|row)\.methods|"methods"|methods: tuple|methods = L',
        {
            "routing/table/types.py",
            "routing/table/problems/endpoints.py",
            "routing/envoy/matches.py",
            "routing/envoy/preliminary.py",
            "routing/resources/refuse_limited.py",
            "routing/models/endpoint.py",
            "routing/publishing/wanted_table.py",
            "routing/catalogue/endpoints.py",
            "templates/routing/endpoint_form.html",
            "templates/routing/endpoints.html",
        },
    ),
    Row(
        "a place where the user id is found",
        r'UnitSource\.COOKIE|\bCOOKIE = "cookie"',
        {
            "routing/table/types.py",
            "routing/models/endpoint.py",
            "routing/table/problems/endpoints.py",
            "routing/envoy/units.py",
            "routing/envoy/fields.py",
        },
    ),
    Row(
        "a protocol of model servers",
        r'\bBENTOML\b|"bentoml"',
        {"routing/protocols/bentoml.py", "routing/protocols/__init__.py"},
    ),
]


def texts() -> Iterable[Path]:
    for place in PLACES:
        path = ROOT / place
        yield from [path] if path.is_file() else (each for each in path.rglob("*") if each.suffix in TEXTS)


def naming(pattern: str) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for path in texts()
        if "migrations" not in path.parts and re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    }


def told(row: Row) -> list[str]:
    """What stands between backticks in the row of the page."""
    lines = (ROOT / "docs/where-to-add.md").read_text(encoding="utf-8").splitlines()
    [line] = [line for line in lines if re.match(rf"\| {row.begins}\b", line)]
    return re.findall(r"`([^`]+)`", line)


def is_told(path: str, names: Iterable[str]) -> bool:
    """Whether a file is one of those that are named, `<name>` for any; a name may be the end of a path."""
    return any(re.search(rf"(^|/){re.sub(r'<[a-z]+>', '[^/]+', name)}$", path) for name in names)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.begins)
def test_what_is_there_is_named_where_its_row_tells(row: Row) -> None:
    assert naming(row.pattern) - row.users == row.files
    names = told(row)
    assert [path for path in sorted(row.files) if not is_told(path, names)] == []


def test_a_field_of_stored_results_is_none_of_what_writes_and_reads_them() -> None:
    found = naming(r"\bstage_units\b")
    assert "experiments/stats/core/types.py" in found
    assert "experiments/stored_results.py" not in found
