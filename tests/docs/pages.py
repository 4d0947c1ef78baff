"""The pages that people read, and what they name in backticks."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])


def named(page: Path) -> set[str]:
    """What stands between backticks, but for blocks of code."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return set(re.findall(r"`([^`\n]+)`", prose))


def all_named() -> Iterator[tuple[str, str]]:
    """Each name with its page."""
    for page in PAGES:
        for name in sorted(named(page)):
            yield page.relative_to(ROOT).as_posix(), name


def words(pattern: str) -> set[str]:
    """What a pattern's group finds anywhere on the pages, blocks of code included."""
    return {found for page in PAGES for found in re.findall(pattern, page.read_text(encoding="utf-8"))}
