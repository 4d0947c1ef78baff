"""What is read of answers: a filter that a route switches on where a protocol of its backends tells anything."""

from collections.abc import Collection, Iterable
from importlib.resources import files
from itertools import chain

from routing.envoy.names import ANSWERS, HTTP_FILTERS, Message
from routing.protocols import Protocol, Told
from routing.protocols.types import DONE, FREE, Streams

# A script of what is looked for, of thoughts and findings, the walk through JSON, and the reading of answers; others
# that read some requests too, or some answers alone.
PARTS = (
    *("wanted.lua", "thoughts.lua", "tensors.lua", "found.lua", "rows.lua", "vectors.lua", "walk.lua"),
    *("arguments.lua", "frames.lua", "texts.lua", "answers.lua"),
)
ASKED, SELDOM = "asked", "seldom"


def answers_reader() -> Message:
    """The filter of the chain; off but on routes that say what is to be read."""
    options = {
        "@type": f"{HTTP_FILTERS}.lua.v3.Lua",
        "default_source_code": _script(*PARTS),
        "source_codes": {name: _script(*PARTS, "sampling.lua", f"{name}.lua") for name in (ASKED, SELDOM)},
    }
    return {"name": ANSWERS, "typed_config": options, "disabled": True}


def answers_filter(protocols: Collection[Protocol], *, compared: bool = False, reading: bool = False) -> Message:
    """What is read of answers of these protocols; nothing where none tells anything.

    Where answers are `compared`, some are read of protocols that say nothing of them, and some requests, if the body of
    each is not looked at anyway (`reading`).
    """
    telling = any(protocol.tells for protocol in protocols)
    if not telling and not compared:
        return {}
    asking = ASKED if compared and not reading and may_ask(protocols) else ""
    script = asking if telling else SELDOM
    kind = f"{HTTP_FILTERS}.lua.v3.LuaPerRoute"
    named = {"name": script} if script else {}
    return {ANSWERS: {"@type": kind, **named, "filter_context": {"answers": _specification(protocols)}}}


def may_ask(protocols: Iterable[Protocol]) -> bool:
    """Whether a request of these protocols may say whether its answer is to be a stream."""
    return any(shape.streams is Streams.ASKED for protocol in protocols for shape in protocol.shapes)


def _script(*parts: str) -> Message:
    folder = files("routing.envoy.answers")
    return {"inline_string": "\n".join(folder.joinpath(part).read_text(encoding="utf-8") for part in parts)}


def _specification(protocols: Iterable[Protocol]) -> str:
    """What the script looks for, in its own short form."""
    shapes = [shape for protocol in protocols for shape in protocol.shapes or (FREE,)]
    parts = {
        "holds": [path for shape in shapes for path in (*shape.holds, *chain(*shape.promises))],
        "parts": [path for shape in shapes for path in (*shape.parts, *chain(*shape.promises))],
        "ends": [name for shape in shapes for name in shape.ends if name != DONE],
        "last": [path for shape in shapes for path in shape.last],
        "stops": [path for shape in shapes for path in shape.stops],
        "refusals": [path for shape in shapes for path in shape.refusals],
        "fails": [path for shape in shapes for path in shape.fails],
        "voids": [path for shape in shapes for path in shape.voids],
        "known": [path for shape in shapes for path in shape.known],
        "aloud": [path for shape in shapes for path in shape.aloud],
        "arguments": [path for shape in shapes for path in shape.arguments],
        "pieces": [path for shape in shapes for path in shape.pieces],
        "several": [path for shape in shapes for path in shape.several],
        "every": [path for shape in shapes for path in shape.every],
        "tensors": [path for shape in shapes for path in shape.tensors],
        "texts": [kind for shape in shapes for kind in (*shape.texts, *(kind for kind, _ in shape.media))],
        "own": [path for shape in shapes for path in shape.own],
        "forms": [shape.form for shape in shapes if shape.form],
        "plain": [_pair(told) for protocol in protocols for told in protocol.plain],
        "streamed": [_pair(told) for protocol in protocols for told in protocol.streamed],
    }
    return ";".join(f"{name}: {' '.join(dict.fromkeys(words))}" for name, words in parts.items())


def _pair(told: Told) -> str:
    return f"{told.count}={told.path}"
