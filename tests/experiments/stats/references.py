"""Reference figures from outside, with where they came from and how near ours must be."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

VECTORS = Path(__file__).parents[2] / "data" / "vectors"

Inputs = Mapping[str, Any]
Ours = Mapping[str, Any]


class Reference(NamedTuple):
    """One case: what goes in, what must come out, and how near."""

    id: str
    inputs: Inputs
    expected: Mapping[str, Any]
    tolerance: Mapping[str, float]
    origin: str


def references(name: str) -> list[Any]:
    """All cases of one file, as parameters of a test."""
    content = json.loads((VECTORS / f"{name}.json").read_text())
    return [pytest.param(_reference(case), id=case["id"]) for case in content["vectors"]]


def shared(name: str) -> Any:
    """Figures that may not be copied: read where they lie, and their tests skipped, loudly, where they are absent."""
    folder = Path(os.environ.get("SLUICE_SHARED", Path(__file__).parents[4] / "shared"))
    path = folder / "vectors" / f"{name}.json"
    if not path.exists():
        pytest.skip(f"NOT CHECKED: {path} is absent; set SLUICE_SHARED to the folder that holds vectors/.")
    return json.loads(path.read_text())


def data() -> Any:
    """The data set that cases refer to by name."""
    return json.loads((VECTORS / "data.json").read_text())


def compare(case: Reference, ours: Mapping[str, Callable[[Inputs], Ours]]) -> None:
    """Assert that our function for the longest prefix of the case's id gives every expected field."""
    prefixes = [prefix for prefix in ours if case.id.startswith(prefix)]
    assert prefixes, f"Nothing of ours computes {case.id}."
    got = ours[max(prefixes, key=len)](case.inputs)
    for field, expected in case.expected.items():
        np.testing.assert_allclose(
            np.asarray(got[field], dtype=np.float64),
            np.asarray(expected, dtype=np.float64),
            rtol=case.tolerance.get("rel", 0.0),
            atol=case.tolerance.get("abs", 0.0),
            err_msg=f"{case.id}: {field} differs from {case.origin}",
        )


def _reference(case: Mapping[str, Any]) -> Reference:
    return Reference(case["id"], case["input"], case["expected"], case["tolerance"], case["origin"])
