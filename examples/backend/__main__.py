"""`python -m examples.backend --port 9101 --name small --quality 0.7`."""

import argparse

import uvicorn

from examples.backend.profile import Profile
from examples.backend.server import Server


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description="A model backend that adds numbers, with a stated profile.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", default="adder")
    parser.add_argument("--seconds", type=float, default=0.05, help="mean time of an answer")
    parser.add_argument("--spread", type=float, default=0.3, help="standard deviation of the time's logarithm")
    parser.add_argument("--first-token-share", type=float, default=0.4, help="part of the time until a stream begins")
    parser.add_argument("--error-rate", type=float, default=0.0)
    parser.add_argument("--quality", type=float, default=1.0, help="share of right answers")
    parser.add_argument("--seed", type=int, default=1)
    options = vars(parser.parse_args())
    port = options.pop("port")
    application = Server(Profile(**options)).application()
    uvicorn.run(application, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
