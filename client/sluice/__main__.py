"""`sluice`, and `python -m sluice`."""

import sys
from io import TextIOWrapper

from sluice.commands.run import run


def main() -> None:
    """End with the exit code of the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that lacks a letter gets a question mark.
            stream.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
