"""Simulated users who chat through an edge, judge the answers and say so."""

import asyncio
import json
import random
import re
import uuid
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import httpx

SUM = re.compile(r"The sum is (-?\d+)\.")
STREAMED_SHARE = 0.3
FEEDBACK_SHARE = 0.5
FEEDBACK_SECONDS = 1.0
LARGEST_BATCH = 1000
MOST_UNDER_WAY = 100
SERVER_ERROR = 500


@dataclass(slots=True)
class Report:
    """What the users met. `sent` counts requests, `answered` complete answers by status."""

    sent: int = 0
    answered: Counter[int] = field(default_factory=Counter)
    broken_connections: int = 0
    failures_of_sluice: int = 0
    feedback_sent: int = 0
    feedback_refused: int = 0

    @property
    def total_answered(self) -> int:
        """All complete answers, whatever their status."""
        return self.answered.total()


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many users there are, how many requests they send a second in total, and their seed.

    They send about as much as each other: among few users with some heavy ones, shares of requests show too little.
    """

    users: int
    rate: float
    seed: int = 1


@dataclass(slots=True)
class Traffic:
    """Users in front of one edge; `api` is where feedback goes, if anywhere."""

    edge_url: str
    path: str
    crowd: Crowd
    api: httpx.AsyncClient | None = None
    report: Report = field(default_factory=Report)
    _feedback: list[dict[str, Any]] = field(default_factory=list)

    async def run(self, stop: asyncio.Event) -> None:
        """Send requests until `stop` is set, then wait for the answers that are under way.

        Users who wait ask for nothing more: on a slow machine there are fewer requests, not longer queues.
        """
        chance = random.Random(self.crowd.seed)
        names = [f"user-{number}" for number in range(self.crowd.users)]
        activity = list(accumulate(chance.lognormvariate(0, 0.3) for _ in names))
        under_way = asyncio.Semaphore(MOST_UNDER_WAY)
        limits = httpx.Limits(max_connections=MOST_UNDER_WAY, max_keepalive_connections=MOST_UNDER_WAY)
        async with (
            httpx.AsyncClient(base_url=self.edge_url, limits=limits, timeout=60) as client,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(self._send_feedback(stop))
            while not stop.is_set():
                user = chance.choices(names, cum_weights=activity)[0]
                await under_way.acquire()
                tasks.create_task(self._chat(client, user, chance)).add_done_callback(lambda _: under_way.release())
                await asyncio.sleep(chance.expovariate(self.crowd.rate))

    async def _chat(self, client: httpx.AsyncClient, user: str, chance: random.Random) -> None:
        first, second = chance.randint(1, 99), chance.randint(1, 99)
        streamed, speaks = chance.random() < STREAMED_SHARE, chance.random() < FEEDBACK_SHARE
        body: dict[str, Any] = {
            "messages": [{"role": "user", "content": f"What is {first} + {second}?"}],
            "model": "adder",
        }
        if streamed:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        self.report.sent += 1
        try:
            answer = await client.post(self.path, json=body, headers={"x-user-id": user})
        except httpx.HTTPError:
            self.report.broken_connections += 1
            return
        self.report.answered[answer.status_code] += 1
        if answer.status_code >= SERVER_ERROR and not _is_the_backends_own(answer):
            self.report.failures_of_sluice += 1
        if answer.is_success and speaks:
            right = _said(answer.text, streamed=streamed) == first + second
            self._feedback.append({"id": uuid.uuid4().hex, "name": "thumbs-up", "value": float(right), "unit": user})

    async def _send_feedback(self, stop: asyncio.Event) -> None:
        """Once a second, in batches; what is refused is sent again, and its id keeps it from counting twice."""
        while self.api is not None and not (stop.is_set() and not self._feedback):
            await asyncio.sleep(FEEDBACK_SECONDS)
            batch = self._feedback[:LARGEST_BATCH]
            if not batch:
                continue
            try:
                answer = await self.api.post("/api/v1/events", json={"events": batch})
                answer.raise_for_status()
            except httpx.HTTPError:
                self.report.feedback_refused += 1
                if stop.is_set():
                    return
                continue
            del self._feedback[: len(batch)]
            self.report.feedback_sent += len(batch)


def _is_the_backends_own(answer: httpx.Response) -> bool:
    """Whether the error was made by the model server itself, in the protocol's form."""
    try:
        return bool(answer.json()["error"]["type"] == "server_error")
    except (ValueError, KeyError, TypeError):
        return False


def _said(text: str, *, streamed: bool) -> int | None:
    """The sum that the model named; None when it named none."""
    found = SUM.search(_joined(text) if streamed else text)
    return int(found[1]) if found else None


def _joined(stream: str) -> str:
    """The text of a streamed answer."""
    events = [line.removeprefix("data: ") for line in stream.splitlines() if line.startswith("data: {")]
    choices = [json.loads(event)["choices"] for event in events]
    return "".join(choice[0]["delta"].get("content", "") for choice in choices if choice)
