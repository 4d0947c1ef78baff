"""Tensors of the Open Inference Protocol, by its specification and that of the binary tensor data extension.

An output has a name, a shape, a datatype and its data: as many elements as the product of its shape, row by row, nested
or not; or as many bytes as `binary_data_size` says behind the JSON, which is as long as the header
`Inference-Header-Content-Length` says. A shape may have a 0.
"""

import json
from typing import Any

import pytest

from tests.factories.answers import OK, document
from tests.routing.envoy.answers.edge import NO_ANSWER, SUCCESS, Seen, seen
from tests.servers.broken_servers import Answer, BrokenServer, say
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

INFER = "/v2/models/m/infer"


def output(name: str = "a", **members: Any) -> dict[str, Any]:
    return {"name": name, "datatype": "FP32", "shape": [2], **members}


def sized(size: int, **members: Any) -> dict[str, Any]:
    return output(**members, parameters={"binary_data_size": size})


def answer(*outputs: dict[str, Any]) -> dict[str, Any]:
    return {"model_name": "m", "outputs": list(outputs)}


def binary(*outputs: dict[str, Any], behind: int, told: int = 0, kind: bytes = b"application/octet-stream") -> Answer:
    """An answer with so many bytes behind its JSON, of which the header tells a length that is `told` too long."""
    text = json.dumps(answer(*outputs)).encode()
    head = b"content-type: %b\r\ninference-header-content-length: %d\r\ncontent-length: %d\r\n\r\n"
    return say(OK + head % (kind, len(text) + told, len(text) + behind), text, b"," * behind)


TWO = output(data=[1.5, -2e-05])
NONE = output("b", shape=[0, 4], data=[])


@pytest.mark.parametrize("kind", ["kserve-v2", "triton"])
@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([TWO], SUCCESS),
        ([output(shape=[2, 2], data=[1, 2, 3, 4])], SUCCESS),
        ([output(shape=[2, 2], data=[[1, 2], [3, 4]])], SUCCESS),
        ([output(shape=[1, 2, 1], data=[[[1], [2]]])], SUCCESS),
        ([output(shape=[], data=[7])], SUCCESS),
        ([output(shape=[3], data=[0, 0, 0])], SUCCESS),
        ([output(datatype="BOOL", data=[True, False])], SUCCESS),
        ([output(datatype="BYTES", shape=[1], data=["a, b, c"])], SUCCESS),
        ([output(parameters={"shared_memory_region": "r", "shared_memory_byte_size": 8})], SUCCESS),
        ([TWO, NONE], SUCCESS),
        ([NONE, TWO], SUCCESS),
        # In another order, and long enough to come in pieces.
        ([{"data": [0.25] * 20_000, "shape": [20_000], "datatype": "FP32", "name": "a"}], SUCCESS),
        ([output(shape=[20_000], data=[0.25] * 19_999)], NO_ANSWER),
        ([output(shape=[100, 200], data=[[0.25] * 200] * 100)], SUCCESS),
        ([output(data=[1.5])], NO_ANSWER),
        ([output(data=[1, 2, 3])], NO_ANSWER),
        ([output(shape=[2, 2], data=[1, 2])], NO_ANSWER),
        ([TWO, output("b", data=[])], NO_ANSWER),
        ([TWO, output("b")], NO_ANSWER),
        ([TWO, output("b", data=[None, None])], NO_ANSWER),
        ([TWO, output("b", datatype="BYTES", shape=[1], data=["  "])], NO_ANSWER),
        ([TWO, {}], NO_ANSWER),
        ([{"name": "a", "datatype": "FP32", "data": [1, 2]}], NO_ANSWER),
        ([NONE], NO_ANSWER),
        # Told of, and not there.
        ([sized(8)], NO_ANSWER),
    ],
)
def test_each_output_has_what_its_shape_says(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, outputs: list[dict[str, Any]], expected: Seen
) -> None:
    server.answer = document(answer(*outputs))

    assert seen(envoy, INFER, kind) == expected


@pytest.mark.parametrize("content", [{}, {"model_name": "m"}, {"outputs": []}, {"outputs": None}])
def test_without_outputs_nothing_is_answered(envoy: RunningEnvoy, server: BrokenServer, content: Any) -> None:
    server.answer = document(content)

    assert seen(envoy, INFER, "kserve-v2") == NO_ANSWER


TEXTS = {"datatype": "BYTES", "shape": [2]}


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        (binary(sized(8), behind=8), SUCCESS),
        (binary(sized(8), behind=8, kind=b"application/json"), SUCCESS),
        (binary(sized(8), sized(16, shape=[2, 2]), behind=24), SUCCESS),
        (binary(sized(8), TWO, behind=8), SUCCESS),
        (binary(sized(8), NONE, behind=8), SUCCESS),
        (binary(sized(40_000, shape=[10_000]), behind=40_000), SUCCESS),
        (binary(sized(2, datatype="FP16", shape=[1]), behind=2), SUCCESS),
        (binary(sized(13, **TEXTS), behind=13), SUCCESS),
        (binary(sized(8), behind=0), NO_ANSWER),
        (binary(sized(8), behind=4), NO_ANSWER),
        (binary(sized(8), behind=12), NO_ANSWER),
        (binary(sized(8), sized(8, name="b"), behind=8), NO_ANSWER),
        (binary(sized(4), behind=4), NO_ANSWER),
        (binary(sized(0), behind=0), NO_ANSWER),
        (binary(sized(7, **TEXTS), behind=7), NO_ANSWER),
        (binary(sized(8), behind=8, told=4_000), NO_ANSWER),
        (binary(sized(8), behind=8, told=4), NO_ANSWER),
        (binary(sized(8), behind=8, told=-4), NO_ANSWER),
    ],
)
def test_the_bytes_behind_the_json_are_those_that_it_tells_of(
    envoy: RunningEnvoy, server: BrokenServer, answered: Answer, expected: Seen
) -> None:
    server.answer = answered

    assert seen(envoy, INFER, "triton") == expected
