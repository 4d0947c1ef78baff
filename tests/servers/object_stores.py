"""A real S3 server that keeps its objects in memory: `python -m tests.servers.object_stores PORT`.

It is told by its input to go `away` and to be `here` again with all that it had. A process of its own: what asks it may
hold this one's only thread of Python meanwhile.
"""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch
from uuid import uuid4

from tests.servers.processes import free_port, stopping

HERE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """A server with one bucket."""

    bucket: str
    process: subprocess.Popen[bytes]

    @property
    def lake_url(self) -> str:
        """A lake in the bucket."""
        return f"s3://{self.bucket}/lake"

    def go_away(self) -> None:
        """Refuse connections."""
        self._be("away")

    def come_back(self) -> None:
        """Answer again, with all that was there."""
        self._be("here")

    def _be(self, where: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{where}\n".encode())
        self.process.stdin.flush()
        assert self.process.stdout.readline().decode().strip() == where


@contextmanager
def run_object_store() -> Iterator[ObjectStore]:
    """Run one with an empty bucket, which this process finds as its users do: by the environment."""
    port, bucket = free_port(), f"bucket-{uuid4()}"
    url = f"http://{HERE}:{port}"
    variables = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    command = [sys.executable, "-m", "tests.servers.object_stores", str(port)]
    started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with started as process, stopping(process), patch.dict(os.environ, variables):
        store = ObjectStore(bucket, process)
        store.come_back()
        urllib.request.urlopen(urllib.request.Request(f"{url}/{bucket}", method="PUT")).close()  # noqa: S310
        yield store


def main(port: int) -> None:
    """Go away and come back as told, until the input ends."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(HERE, port, verbose=False)
    for line in sys.stdin:
        server.start() if line.strip() == "here" else server.stop()
        sys.stdout.write(line)
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
