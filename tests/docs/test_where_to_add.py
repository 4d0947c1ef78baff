"""To add a thing takes few files: those that name one that is there are counted, migrations and tests apart."""

import re

import pytest

from tests.docs.pages import ROOT

APPS = ("controlplane", "routing", "experiments", "templates")

# What it is, how one that is there is named, and the files that may name it.
PRESENT = [
    (
        "a verb",
        r"actions\.resume import|\bRESUME\b|experiment-resume|\"resume\"",
        {"experiments/actions/resume.py", "experiments/actions/verbs.py", "experiments/api/views.py"},
    ),
    (
        "a health check",
        r"unreadable_findings|health\.unreadable",
        {"experiments/stats/health/check.py", "experiments/stats/health/unreadable.py"},
    ),
    (
        "a protocol",
        r"\bBENTOML\b|\"bentoml\"",
        {"routing/protocols/__init__.py", "routing/protocols/bentoml.py"},
    ),
    (
        "a rule of decision",
        r"rules\.ramp import",
        {"experiments/decide/decide.py"},
    ),
    (
        "a resource with pages",
        r"class Layer\(|\"Layer\",|\bLayerForm\b|\bLayerSerializer\b|\bLAYERS\b|\bLayerLine\b|line\.layer",
        {
            "routing/models/layer.py",
            "routing/models/__init__.py",
            "routing/catalogue/layers.py",
            "routing/catalogue/layer_drawing.py",
            "routing/catalogue/__init__.py",
            "templates/routing/layers.html",
        },
    ),
    (
        "a chart",
        r"charts\.forest import",
        {"experiments/presenters/live.py", "experiments/presenters/comparison.py"},
    ),
]


# Where a field of a plan is said, kept, used and typed. What the statistics call theirs is their own.
OF_A_PLAN = {"experiments/plan/spec.py", "experiments/models/plan.py", "experiments/forms/draft_fields.py"}
FIELDS_OF_A_PLAN = [
    ("maximum_seconds", {*OF_A_PLAN, "experiments/plan/as_judged.py", "experiments/metrics/margins.py"}),
    ("spending", {*OF_A_PLAN, "experiments/plan/as_judged.py"}),
    ("soak_seconds", {*OF_A_PLAN, "experiments/plan/as_judged.py"}),
]


def naming(pattern: str) -> set[str]:
    """The product files that hold the pattern."""
    return {
        path.relative_to(ROOT).as_posix()
        for app in APPS
        for path in (ROOT / app).rglob("*")
        if path.suffix in {".py", ".html", ".lua"} and "migrations" not in path.parts
        if re.search(pattern, path.read_text(encoding="utf-8"))
    }


@pytest.mark.parametrize(("what", "pattern", "files"), PRESENT, ids=[what for what, _, _ in PRESENT])
def test_one_that_is_there_is_named_in_few_files(what: str, pattern: str, files: set[str]) -> None:
    assert naming(pattern) == files, f"{what} is to be added in these files alone"


@pytest.mark.parametrize(("field", "files"), FIELDS_OF_A_PLAN, ids=[field for field, _ in FIELDS_OF_A_PLAN])
def test_a_field_of_a_plan_is_named_in_few_files(field: str, files: set[str]) -> None:
    found = {path for path in naming(rf"\b{field}\b") if not path.startswith("experiments/stats/")}
    assert found == files
