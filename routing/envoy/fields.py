"""Fields of JSON bodies that become metadata of the request."""

from collections.abc import Sequence

from routing.envoy.names import BODY_UNIT, FACTS, Message

UNIT_KEY = "unit"
USAGE = {"prompt_tokens": ("usage", "prompt_tokens"), "completion_tokens": ("usage", "completion_tokens")}


def usage_rules() -> list[Message]:
    """Rules that take the token counts of an OpenAI answer."""
    return [_rule(path, FACTS, key, "NUMBER") for key, path in USAGE.items()]


def unit_rule(name: str) -> Message:
    """The rule that takes the unit from the field with this dotted name."""
    return _rule(name.split("."), BODY_UNIT, UNIT_KEY, "STRING")


def _rule(path: Sequence[str], namespace: str, key: str, kind: str) -> Message:
    target = {"metadata_namespace": namespace, "key": key, "type": kind}
    return {"selectors": [{"key": step} for step in path], "on_present": target}
