"""What the documentation says of who imports whom, read from the code and not from the configuration of the linter."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HTTP_CLIENTS = ("httpx", "http.client", "urllib.request")

STATISTICS = ("experiments/stats", "experiments/decide")
PURE = (*STATISTICS, *(f"routing/{room}" for room in ("access_log", "table", "envoy", "guard", "protocols")))

FILES = ("io", "os", "pathlib", "shutil", "tempfile", "logging")
PROCESSES = ("asyncio", "multiprocessing", "signal", "subprocess", "threading", "time")
OUTSIDE = (*FILES, *PROCESSES, "socket", "ssl", *HTTP_CLIENTS)
"""Modules of Python by which a program touches what is around it."""


def modules(folder: str) -> Iterator[Path]:
    yield from (ROOT / folder).rglob("*.py")


def imported(module: Path) -> set[str]:
    """Modules by their full name, wherever in the file they are imported."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


def importers(folder: str, *names: str) -> set[str]:
    """Modules of a folder that import any of these, or a part of it."""
    return {
        module.relative_to(ROOT).as_posix()
        for module in modules(folder)
        if any(f"{each}.".startswith(f"{name}.") for each in imported(module) for name in names)
    }


def test_the_other_way_round_only_what_installs_imports() -> None:
    assert importers("experiments", "routing")
    assert importers("routing", "experiments") == set()
    wrong = importers("controlplane", "routing", "experiments")
    assert {name for name in wrong if not name.startswith("controlplane/install/")} == set()


def test_the_pure_cores_touch_nothing_around_them() -> None:
    assert {name for folder in PURE for name in importers(folder, *OUTSIDE)} == set()
    reading = {name for folder in PURE for name in importers(folder, "importlib.resources")}
    assert {name for name in reading if not name.startswith("routing/envoy/")} == set()
    assert {path.name for folder in PURE for path in modules(folder) if "open" in _names(path)} == set()


def test_one_module_has_httpx_and_two_of_an_edge_have_pythons_own_client() -> None:
    found = {name for folder in ("controlplane", "routing", "experiments") for name in importers(folder, *HTTP_CLIENTS)}
    of_edges = {name for name in found if name.startswith("routing/edge/")}
    assert (len(of_edges), len(found - of_edges)) == (2, 1)
    assert found - of_edges == importers("controlplane", "httpx")
    assert importers("routing", "httpx") == set()


def test_a_type_of_metric_is_named_by_its_own_file_alone() -> None:
    """All others ask its kind; those that are made and not asked for are in one place."""
    naming = {
        module.relative_to(ROOT).as_posix()
        for folder in ("controlplane", "routing", "experiments")
        for module in modules(folder)
        if any(_is_member(node, "MetricType") for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))))
    }
    others = {name for name in naming if not name.startswith("experiments/stats/metrics/")}
    assert others == {"experiments/evidence/own_metrics.py"}


def _is_member(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name


def _names(module: Path) -> set[str]:
    """What the code names; examples in docstrings are text."""
    return {node.id for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))) if isinstance(node, ast.Name)}
