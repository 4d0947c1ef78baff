"""What two people made of one draft, put together part by part."""

from collections.abc import Mapping
from typing import Any

from controlplane.web.editing import NOTHING, Difference

PLAN = "plan."
UNORDERED = ("switched_off", "dimensions")
Parts = Mapping[str, Any]


def parts(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Its fields and, by `plan.` and their name, those of its plan."""
    plan = spec.get("plan") or {}
    return {
        **{name: value for name, value in spec.items() if name != "plan"},
        **{PLAN + name: value for name, value in plan.items()},
    }


def whole(found: Parts) -> dict[str, Any]:
    """The spec of these parts."""
    return {
        **{name: value for name, value in found.items() if not name.startswith(PLAN)},
        "plan": {name.removeprefix(PLAN): value for name, value in found.items() if name.startswith(PLAN)},
    }


def rebase(opened: Parts, now: Parts, typed: Parts) -> dict[str, Any]:
    """What the person changed as it was typed, and all else as it is now."""
    return {name: typed[name] if typed[name] != opened.get(name) else now[name] for name in now}


def changed(opened: Mapping[str, Any], typed: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that say something else than when they were opened."""
    return {name: value for name, value in typed.items() if name not in opened or _said(opened[name]) != _said(value)}


def differences(opened: Parts, now: Parts, saved: Parts) -> list[Difference]:
    """The parts that are not the same in all three."""
    found = [Difference(_label(name), *(_words(parts.get(name)) for parts in (opened, now, saved))) for name in now]
    return [each for each in found if not each.opened == each.now == each.typed]


def _said(value: Any) -> Any:
    """A value without what a form does to it: blanks at the ends of lines, and the order of what has none."""
    if isinstance(value, str):
        return [line.strip() for line in value.strip().splitlines()]
    if isinstance(value, Mapping):
        return {name: _said(sorted(part) if name in UNORDERED else part) for name, part in value.items()}
    return [_said(part) for part in value] if isinstance(value, list) else value


def _label(name: str) -> str:
    return name.removeprefix(PLAN).replace("_", " ").capitalize()


def _words(value: object) -> str:
    if value in (None, "", [], {}):
        return NOTHING
    if isinstance(value, Mapping):
        return ", ".join(f"{name.replace('_', ' ')}: {_words(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return "\n".join(map(_words, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
