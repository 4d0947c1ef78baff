"""What two people made of one draft, put together part by part."""

from collections.abc import Mapping
from typing import Any

from controlplane.web.editing import NOTHING, Difference

PLAN = "plan."
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


def differences(opened: Parts, now: Parts, saved: Parts) -> list[Difference]:
    """The parts that are not the same in all three."""
    found = [Difference(_label(name), *(_words(parts.get(name)) for parts in (opened, now, saved))) for name in now]
    return [each for each in found if not each.opened == each.now == each.typed]


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
