"""Durations as people type them."""

import re

_PARTS = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def read_duration(text: str) -> float:
    """Seconds of `90s`, `30m`, `2h`, `1h30m` or `1d`. Raises `ValueError`."""
    parts = _PARTS.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is no duration; write 90s, 30m, 2h or 1h30m.")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)
