"""Files that went wrong in a small place, each made from a sound one: each is refused, and the place is said."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from controlplane.audit.actors import SLUICE
from controlplane.problems.errors import SluiceError
from experiments.specs.apply import plan
from tests.experiments.specs.files import WHOLE

pytestmark = pytest.mark.django_db

LINES = WHOLE.splitlines()
FIELD = re.compile(r"^( *(?:- )?)([\w-]+):(?: +([^#{]+?))?( *#.*)?$")
"""A line of its own field: what stands before it, its name, and a value in one line."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A file, the line that is wrong, and what was done to it."""

    text: str
    line: int
    what: str


def with_line(number: int, line: str, what: str) -> Malformed:
    """The sound file but for one line, counted from 0."""
    return Malformed(
        "\n".join([*LINES[:number], line, *LINES[number + 1 :], ""]), number + 1, f"{what}: {line.strip()}"
    )


def malformed() -> Iterator[Malformed]:
    """Of each field a misspelt name and values that it cannot have."""
    for number, line in enumerate(LINES):
        found = FIELD.match(line)
        if found is None:
            continue
        before, name, value, _ = found.groups()
        yield with_line(number, line.replace(f"{name}:", f"{name}_:", 1), "a name that is none")
        if value is None:
            yield with_line(number, f"{line} 7", "a number in the place of what is inside")
            continue
        for wrong, what in (
            ("{what: ever}", "an object"),
            ("[[], {}]", "a list of nothing known"),
            ("!secret x", "a tag"),
            ("'unclosed", "a quote that does not end"),
            ("*nobody", "an alias of nothing"),
        ):
            yield with_line(number, f"{before}{name}: {wrong}", what)
        twice = f"{line}\n{' ' * len(before)}{name}: {value}"
        yield Malformed(with_line(number, twice, "").text, number + 2, f"the same name twice: {name}")


MALFORMED = list(malformed())


def test_there_are_two_hundred_of_them() -> None:
    assert len(MALFORMED) >= 200


def test_each_is_refused_with_the_place_of_what_is_wrong() -> None:
    missed = [(each.what, refusal) for each in MALFORMED if not _is_pointed(each, refusal := refusal_of(each))]
    assert missed == []


def refusal_of(each: Malformed) -> SluiceError | None:
    try:
        plan(each.text.encode(), actor=SLUICE)
    except SluiceError as error:
        return error
    return None


def _is_pointed(each: Malformed, refusal: SluiceError | None) -> bool:
    """Whether it is refused in words, with the place of each problem, and one of these is where it is wrong."""
    if refusal is None or refusal.status >= 500 or not refusal.detail.startswith("Line "):
        return False
    told = all(problem.line and problem.column and problem.message for problem in refusal.problems)
    return told and _points_at(each, refusal)


def _points_at(each: Malformed, error: SluiceError) -> bool:
    """Whether the line is named. Some things are wrong by what follows: a quote without an end, or too much in one."""
    named = {problem.line or 0 for problem in error.problems}
    if "does not end" in each.what:
        return max(named) >= each.line
    return bool(named & ({each.line, each.line + 1} if "what is inside" in each.what else {each.line}))


IMPOSSIBLE = [
    ("alpha: 1e-2", "alpha: 5", "alpha", "at most 0.2"),
    ("alpha: 1e-2", "alpha: 0", "alpha", "at least 1e-06"),
    ("alpha: 1e-2", "alpha: rarely", "alpha", "a number"),
    ("alpha: 1e-2", "halt_alpha: 1", "halt_alpha", "at most 0.2"),
    ("alpha: 1e-2", "power: 1", "power", "at most 0.9999"),
    ("alpha: 1e-2", "looks: 0", "looks", "at least 1, at most 100"),
    ("alpha: 1e-2", "looks: 1.5", "looks", "a whole number"),
    ("alpha: 1e-2", "spending: often", "spending", "one of obrien-fleming, pocock"),
    ("alpha: 1e-2", "minimum_units: 1", "minimum_units", "at least 2"),
    ("alpha: 1e-2", "maximum_seconds: 60", "plan", "soak for longer"),
    ("alpha: 1e-2", "switched_off: [latencies]", "switched_off.0", "use one of"),
    ("alpha: 1e-2", "covariate_days: 0", "covariate_days", "at least 1, at most 90"),
    ("role: goal", "{role: goal, covariate: true}", "covariate", "cannot be adjusted by what users did before"),
    ("coverage: 10,", "coverage: 0,", "coverage", "at least 0.01"),
    ("coverage: 10,", "coverage: 100,", "plan", "larger than the one before"),
    ("role: goal", "role: aim", "role", "one of goal, guardrail, observed"),
    ("role: goal", "role: observed", "plan", "at least one metric must be a goal or a guardrail"),
    ("role: goal", "{role: guardrail, margin: 9}", "margin", "guards nothing"),
    ("traffic: 20", "traffic: 0.01", "traffic", "would have none"),
    ("traffic: 20", "traffic: 101", "traffic", "at most 100"),
    ("key: control, backend: small", "key: control, backend: small, weight: 0", "weight", "at least 1"),
    ("key: control, backend: small", "key: large, backend: small", "experiments.0", "a key of its own"),
    ("numerator: outcome(thumbs-up)", "numerator: applause", "numerator", "applause"),
    ("type: mean", "type: median", "type", "one of proportion, mean, ratio"),
    ("type: mean", "{type: quantile, level: 2}", "level", "0.9"),
    ("type: mean", "{type: mean, cap: -1}", "cap", "above 0"),
    ("holdout: 5", "holdout: 100", "holdout", "at most 99.99"),
    ("prompt_price: 2.5", "protocol: smoke-signals", "protocol", "one of openai"),
    ("backend: small", "backend: smaller", "backend", "large, small"),
]


@pytest.mark.parametrize(("sound", "wrong", "field", "said"), IMPOSSIBLE)
def test_what_cannot_be_is_said_with_what_may_be(sound: str, wrong: str, field: str, said: str) -> None:
    if wrong.startswith("{"):
        # Two fields in the place of one.
        before = next(line for line in LINES if sound in line).index(sound)
        wrong = wrong.strip("{}").replace(", ", "\n" + " " * before)
    text = WHOLE.replace(sound, wrong)
    with pytest.raises(SluiceError) as caught:
        plan(text.encode(), actor=SLUICE)
    [problem] = [each for each in caught.value.problems if each.field.endswith(field)][:1]
    assert said in f"{problem.message} {problem.allowed}".replace("Use", "use").replace("At least", "at least")
    assert problem.line is not None
    # What is wrong as a whole is where that begins.
    around = "\n".join(text.splitlines()[problem.line - 2 : problem.line])
    assert field.removesuffix(".0").rpartition(".")[2] in around
