"""What Envoy's access log says of a request: the line as it was written, how the request ended, and the lake's row."""

from routing.access_log.line import BrokenLineError, LogLine, read_line
from routing.access_log.results import FAILED, UNDOCUMENTED, Ending, Result, ending_of
from routing.access_log.row import to_row

__all__ = [
    "FAILED",
    "UNDOCUMENTED",
    "BrokenLineError",
    "Ending",
    "LogLine",
    "Result",
    "ending_of",
    "read_line",
    "to_row",
]
