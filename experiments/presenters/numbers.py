"""Numbers as the pages write them: a real minus sign, no more digits than mean something."""

from datetime import timedelta
from math import floor, isinf, log10

from controlplane.web.shares import PERCENT
from experiments.stats.core.types import Interval

FEW_DIGITS_FROM = 1.0
SPANS = ((timedelta(days=1), "days"), (timedelta(hours=1), "hours"), (timedelta(minutes=1), "min"))


def amount(number: float, unit: str) -> str:
    """A value of a metric in its own unit; shares are in per cent."""
    scaled = number * PERCENT if unit == "%" else number
    return _minus(f"{'-' if scaled < 0 else ''}{_digits(abs(scaled))} {unit}".rstrip())


def change(relative: float) -> str:
    """A relative change with its sign, like `+4.2 %`."""
    return f"{_signed_percent(relative)} %"


def change_interval(interval: Interval | None) -> str:
    """An interval of relative changes, like `−1.0 to +9.1 %`; an open end is said in words."""
    if interval is None or (isinf(interval.low) and isinf(interval.high)):
        return "no bounds yet"
    low = "no lower bound" if isinf(interval.low) else _signed_percent(interval.low)
    high = "no upper bound" if isinf(interval.high) else f"{_signed_percent(interval.high)} %"
    return f"{low} to {high}"


def difference(amount: float, unit: str) -> str:
    """A difference in a metric's own unit with its sign; differences of shares are in percentage points."""
    scaled, shown_unit = (amount * PERCENT, "pp") if unit == "%" else (amount, unit)
    return _minus(f"{'+' if scaled >= 0 else '-'}{_digits(abs(scaled))} {shown_unit}".rstrip())


def difference_interval(interval: Interval | None, unit: str) -> str:
    """An interval of differences in a metric's own unit."""
    if interval is None or (isinf(interval.low) and isinf(interval.high)):
        return "no bounds yet"
    low = "no lower bound" if isinf(interval.low) else difference(interval.low, unit)
    high = "no upper bound" if isinf(interval.high) else difference(interval.high, unit)
    return f"{low} to {high}"


def about(span: timedelta) -> str:
    """A span of time to the whole unit, like `7 min`."""
    unit, name = next(((unit, name) for unit, name in SPANS if span >= 2 * unit), (timedelta(seconds=1), "s"))
    return f"{span / unit:.0f} {name}"


def _digits(size: float) -> str:
    """Three digits that mean something, never an exponent; `size` is not negative."""
    if size == 0 or isinf(size):
        return f"{size:.0f}"
    decimals = max(0, 2 - floor(log10(size)))
    text = f"{size:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def _signed_percent(share: float) -> str:
    digits = 0 if abs(share) >= FEW_DIGITS_FROM else 1
    return _minus(f"{share * PERCENT:+,.{digits}f}")


def _minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")
