"""Which of an edge's files are Envoy's."""

import re
from dataclasses import asdict
from pathlib import Path

import pytest

from routing.edge.prepare import prepare

pytestmark = pytest.mark.slow


def test_envoy_is_told_of_the_files_for_envoy_and_of_no_other(tmp_path: Path) -> None:
    edge = prepare(tmp_path, name="local", host="127.0.0.1", port=1)

    told = set(re.findall(rf"{re.escape(str(tmp_path))}/[^\"]*", edge.bootstrap.read_text()))

    admin = str(edge.admin)
    assert told | {admin} == set(asdict(edge.for_envoy()).values())
    assert {path for path in told if not Path(path).exists()} <= {str(edge.access_log), admin}
