"""The local guard: an edge takes a candidate that fails in a burst out of its table by itself."""

from routing.guard.cuts import Cut, without
from routing.guard.watch import Answered, Watch

__all__ = ["Answered", "Cut", "Watch", "without"]
