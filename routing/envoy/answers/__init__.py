"""What is read of answers: a filter that a route switches on where a protocol of its backends tells anything."""

from collections.abc import Iterable
from importlib.resources import files
from itertools import chain

from routing.envoy.names import ANSWERS, HTTP_FILTERS, Message
from routing.protocols import Protocol, Told
from routing.protocols.types import DONE

# One script, of what is looked for, the walk through JSON, and the reading of answers.
PARTS = ("wanted.lua", "walk.lua", "answers.lua")
SCRIPT = "\n".join(files("routing.envoy.answers").joinpath(part).read_text(encoding="utf-8") for part in PARTS)


def answers_reader() -> Message:
    """The filter of the chain; off but on routes that say what is to be read."""
    options = {"@type": f"{HTTP_FILTERS}.lua.v3.Lua", "default_source_code": {"inline_string": SCRIPT}}
    return {"name": ANSWERS, "typed_config": options, "disabled": True}


def answers_filter(protocols: Iterable[Protocol]) -> Message:
    """What is read of answers of these protocols; nothing where none of them tells anything."""
    telling = [protocol for protocol in protocols if protocol.plain or protocol.streamed or protocol.shapes]
    if not telling:
        return {}
    kind = f"{HTTP_FILTERS}.lua.v3.LuaPerRoute"
    return {ANSWERS: {"@type": kind, "filter_context": {"answers": _specification(telling)}}}


def _specification(protocols: list[Protocol]) -> str:
    """What the script looks for, in its own short form."""
    shapes = [shape for protocol in protocols for shape in protocol.shapes]
    parts = {
        "holds": [path for shape in shapes for path in (*shape.holds, *chain(*shape.promises))],
        "parts": [path for shape in shapes for path in shape.parts],
        "ends": [name for shape in shapes for name in shape.ends if name != DONE],
        "last": [path for shape in shapes for path in shape.last],
        "stops": [path for shape in shapes for path in shape.stops],
        "refusals": [path for shape in shapes for path in shape.refusals],
        "fails": [path for shape in shapes for path in shape.fails],
        "voids": [path for shape in shapes for path in shape.voids],
        "known": [path for shape in shapes for path in shape.known],
        "own": [path for shape in shapes for path in shape.own],
        "plain": [_pair(told) for protocol in protocols for told in protocol.plain],
        "streamed": [_pair(told) for protocol in protocols for told in protocol.streamed],
    }
    return ";".join(f"{name}: {' '.join(dict.fromkeys(words))}" for name, words in parts.items())


def _pair(told: Told) -> str:
    return f"{told.count}={told.path}"
