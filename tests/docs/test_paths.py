"""What the documentation points at is there: files, folders, headings, commands, addresses and settings."""

import importlib
import re
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import resolve

from controlplane.settings.environment import Environment
from tests.docs.pages import PAGES, ROOT, all_named, words

FILE = re.compile(r"[\w.<>/-]+\.(?:py|md|toml|txt|conf|lua|html|env|svg|css)")
FOLDER = re.compile(r"[\w.<>-]+(?:/[\w.<>-]+)*/")
MADE_BY_RUNNING = ("var/", ".venv/", "credentials.env", "secrets.env")

CREDENTIALS = {"SLUICE_TOKEN", "SLUICE_URL", "SLUICE_EDGE_URL"}
"""What `make run` writes for clients; no settings."""


@cache
def tracked() -> tuple[str, ...]:
    """All files of the repository but what running it makes, and all folders with a slash at the end."""
    there = [
        path.relative_to(ROOT)
        for top in ROOT.iterdir()
        if not top.name.startswith(".") and top.name != "var"
        for path in (top, *top.rglob("*"))
        if path.name != "__pycache__"
    ]
    return tuple(f"/{path.as_posix()}{'/' if (ROOT / path).is_dir() else ''}" for path in there)


def is_there(name: str) -> bool:
    """Whether a path of the repository, or the end of one, is named; `<verb>` stands for any name."""
    pattern = re.compile("/" + re.sub(r"<\w+>", r"[^/]+", name.replace(".", r"\.")) + "/?$")
    return any(pattern.search(path) for path in tracked())


def is_path(name: str) -> bool:
    top = name.partition("/")[0]
    points = FILE.fullmatch(name) or FOLDER.fullmatch(name) or ("/" in name and (ROOT / top).is_dir())
    return bool(points) and not name.startswith((*MADE_BY_RUNNING, "/"))


def test_files_and_folders_are_there() -> None:
    paths = [(page, name) for page, name in all_named() if is_path(name)]
    assert len(paths) > 50
    assert [(page, name) for page, name in paths if not is_there(name)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8")):
        there = page.parent / target if target else page
        assert there.exists(), target
        assert not anchor or anchor in headings(there), anchor


def headings(page: Path) -> set[str]:
    """As GitHub makes anchors of them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def test_modules_can_be_run_and_names_imported() -> None:
    modules = words(r"python -m ((?:routing|bench|examples|experiments|controlplane|tests)[\w.]*)")
    dotted = {
        name for _, name in all_named() if re.fullmatch(r"(?:routing|experiments|controlplane|bench)\.[\w.]+", name)
    }
    assert modules
    for name in modules:
        assert importlib.util.find_spec(name), name
    for name in dotted:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name


def test_commands_are_there() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert words(r"`make ([\w-]+)`") <= targets
    assert {name.replace("-", "_") for name in words(r"manage\.py ([a-z_-]+)")} <= get_commands().keys()


def test_addresses_of_the_api_are_there() -> None:
    addresses = {
        re.sub(r"<\w+>", "some", each) for each in words(r"`?(?:GET |POST |PATCH )?(/(?:api|ofrep)/v1/[\w<>/-]+)")
    }
    assert len(addresses) > 10
    for address in addresses:
        resolve(address)


def test_settings_are_there() -> None:
    assert words(r"\b(SLUICE_[A-Z_]+)\b") - CREDENTIALS <= {
        f"SLUICE_{name.upper()}" for name in Environment.model_fields
    }
