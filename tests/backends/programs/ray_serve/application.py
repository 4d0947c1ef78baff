"""An application on Ray Serve that answers like OpenAI's API and takes a while to load; its port is the argument."""

import signal
import sys
import time
from typing import Any

import ray
from ray import serve
from starlette.requests import Request

USAGE = {"prompt_tokens": 11, "completion_tokens": 22}


@serve.deployment
class Chat:
    """Says hello."""

    def __init__(self) -> None:
        time.sleep(3)

    async def __call__(self, request: Request) -> dict[str, Any]:
        """A chat answer."""
        return {"choices": [{"message": {"role": "assistant", "content": "Hello"}}], "usage": USAGE}


signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())
ray.init(num_cpus=2, include_dashboard=False, object_store_memory=100_000_000)
serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
serve.run(Chat.bind())
signal.pause()
