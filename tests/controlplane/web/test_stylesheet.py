"""Contrast of colours, light and dark (WCAG 2.2, level AA: 4.5 for text, 3 for the borders of controls)."""

import re
from pathlib import Path

import pytest

STYLES = Path(__file__).resolve().parents[3] / "controlplane/static/sluice/sluice.css"
TEXT = [
    *((ink, ground) for ink in ("ink", "muted") for ground in ("ground", "surface", "sunken")),
    *((tone, f"{tone}-tint") for tone in ("good", "bad", "wait", "calm")),
    *(("ink", f"{tone}-tint") for tone in ("good", "bad", "wait", "calm")),
    *(("surface", tone) for tone in ("good", "bad", "wait", "calm")),
    *(("accent", ground) for ground in ("ground", "surface")),
    ("bad", "surface"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
]
SCHEMES = ("light", "dark")


def colours(scheme: str) -> dict[str, str]:
    blocks = re.findall(r":root \{(.*?)\}", STYLES.read_text(), re.DOTALL)
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", blocks[SCHEMES.index(scheme)]))


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_can_be_read(scheme: str, ink: str, ground: str) -> None:
    known = colours(scheme)
    assert contrast(known[ink], known[ground]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("ground", ["ground", "surface"])
def test_borders_of_controls_can_be_seen(scheme: str, ground: str) -> None:
    known = colours(scheme)
    assert contrast(known["edge"], known[ground]) >= 3
