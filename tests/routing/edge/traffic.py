"""Users who ask without pause, and remember what they were answered."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from tests.waiting import PATIENCE_SECONDS

USERS = 4


class Traffic:
    """What was answered, by request id, and what was not."""

    def __init__(self) -> None:
        self.answered: dict[str, int] = {}
        self.unanswered: list[str] = []
        self.stopping = threading.Event()

    @property
    def statuses(self) -> set[int]:
        """Every status that was seen."""
        return set(self.answered.values())

    def ask_until_stopped(self, url: str, user: str) -> None:
        """One user, on one connection for as long as it lasts."""
        connection = HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_SECONDS)
        body = json.dumps({"metadata": {"user_id": user}})
        while not self.stopping.is_set():
            try:
                connection.request("POST", "/chat", body, {"content-type": "application/json", "x-user-id": user})
                response = connection.getresponse()
                response.read()
                self.answered[response.headers["x-request-id"]] = response.status
            except (OSError, HTTPException) as error:
                self.unanswered.append(repr(error))
                connection.close()
                self.stopping.wait(0.02)
        connection.close()


@contextmanager
def run_traffic(url: str) -> Iterator[Traffic]:
    """Send requests until the block ends; then all of them are answered or have failed."""
    traffic = Traffic()
    users = [threading.Thread(target=traffic.ask_until_stopped, args=(url, f"user-{n}")) for n in range(USERS)]
    for user in users:
        user.start()
    try:
        yield traffic
    finally:
        traffic.stopping.set()
        for user in users:
            user.join()
