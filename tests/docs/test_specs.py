"""The page about files of specs: its file applies, and the schema beside it is the one that is served."""

import json
import re

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from experiments.specs.schema import file_schema
from tests.docs.pages import ROOT
from tests.experiments.specs.files import WHOLE
from tests.visitors.callers import Caller

PAGE = (ROOT / "docs/specs.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "docs/specs.schema.json").read_text(encoding="utf-8"))


def the_file() -> str:
    found = re.search(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.django_db
@pytest.mark.usefixtures("redis_server")
def test_the_file_is_applied_as_it_stands_there(operator: Caller) -> None:
    first = operator.send("POST", "specs/apply", the_file())
    assert (first.status_code, len(first.json()["changes"])) == (200, 4)
    assert operator.send("POST", "specs/apply", the_file()).json()["changed"] is False


@pytest.mark.django_db
def test_the_problem_is_said_in_the_words_that_are_told(operator: Caller) -> None:
    lines = the_file().splitlines()
    wrong = [*lines[:20], "      alpha: 0.3", *lines[20:]]
    assert lines[20].strip() == "stages:"
    refused = operator.send("POST", "specs/plan", "\n".join(wrong)).json()
    assert f"sluice.yaml: {refused['detail']} ({refused['code']})" in PAGE
    [problem] = refused["problems"]
    told = f"{problem['field']}: {problem['message']} Allowed: {problem['allowed']}."
    assert f"line {problem['line']}, column {problem['column']}: {told}" in PAGE


def test_the_schema_is_the_one_that_is_served() -> None:
    assert file_schema() == SCHEMA, "it is what GET /api/v1/specs/schema answers"


def test_the_schema_takes_what_is_right_and_refuses_what_is_not() -> None:
    validator = Draft202012Validator(SCHEMA)
    documents = list(YAML(typ="safe", pure=True).load_all(WHOLE))
    assert [list(validator.iter_errors(document)) for document in documents] == [[], []]
    misspelt = {"backends": [{"key": "a", "adresses": []}]}
    assert [error.validator for error in validator.iter_errors(misspelt)] == ["additionalProperties"]
    assert not validator.is_valid({"experiments": [{"key": "a", "plan": {"alpha": 5}}]})
