"""Files are read with the place of each value; what is no YAML is said with the place where that begins."""

import pytest

from controlplane.problems.errors import InvalidInput, TooLarge
from experiments.specs.reading import LARGEST_FILE, Place, read_documents


def test_each_value_and_each_key_is_known_by_its_place() -> None:
    [document] = read_documents(b"a: 1\nb:\n  - c:  x\n  - d\n")
    assert document.content == {"a": 1, "b": [{"c": "x"}, "d"]}
    assert document.place(("b", 0, "c")) == Place(3, 9)
    assert document.key_place(("b", 0, "c")) == Place(3, 5)
    assert document.place(("b", 1)) == Place(4, 5)
    # What is not there is where it would have to be.
    assert document.place(("b", 0, "missing")) == Place(3, 5)


def test_values_are_those_of_yaml_one_two() -> None:
    text = b"{a: yes, b: 1e-3, c: 010, d: 0x1f, e: 2026-01-01, f: ~, g: 'true', h: true, i: -5, j: 1.5}"
    [document] = read_documents(text)
    numbers = {"b": 0.001, "c": 10, "d": 31, "i": -5, "j": 1.5}
    assert document.content == {"a": "yes", **numbers, "e": "2026-01-01", "f": None, "g": "true", "h": True}


def test_json_is_read_as_json_reads_it() -> None:
    [document] = read_documents(b'{\n\t"a": "\\ud83d\\ude00\\/",\n\t"b": [1, 2.5e3, null, "x: y"]\n}')
    assert document.content == {"a": "😀/", "b": [1, 2500.0, None, "x: y"]}
    assert document.place(("b",)) == Place(3, 7)


def test_documents_are_told_apart_and_empty_ones_left_out() -> None:
    assert [each.content for each in read_documents(b"---\n# nothing\n---\na: 1\n---\nb: 2\n")] == [{"a": 1}, {"b": 2}]
    assert read_documents(b"# nothing\n") == ()


BROKEN = [
    (b"a: 1\nb: [1, 2\n", 3, 1),
    (b"a:\n  - b\n c: d\n", 3, 2),
    (b"a: b: c\n", 1, 5),
    (b"a: *nobody\n", 1, 4),
    (b"a: 'b\n", 2, 1),
    (b"\ta: 1\n", 1, 1),
    (b"a: 1\nb: \x07\n", 2, 4),
    (b"a: 1\nb: \xff\n", 2, 4),
    (b"%YAML 9.9\n---\na: 1\n", 1, 1),
    (b"[" * 5000, 1, 1),
    (b"a: 1\na: 2\n", 2, 1),
    (b"a: 1\n? [b]\n: c\n", 2, 3),
    (b"a: 1\n2: b\n", 2, 1),
    (b"a: !!python/object:os.system {}\n", 1, 4),
    (b"a: !mine b\n", 1, 4),
    (b"a: .inf\n", 1, 4),
    (b"a: 1e999\n", 1, 4),
    (b"a: 99999999999999999999\n", 1, 4),
    (b'a: "\\ud800"\n', 1, 4),
    (b"a: &a [*a]\n", 1, 4),
    (b"a: " + b"[" * 70 + b"]" * 70, 1, 68),
]


@pytest.mark.parametrize(("content", "line", "column"), BROKEN)
def test_what_cannot_be_read_is_said_with_its_place(content: bytes, line: int, column: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_documents(content)
    first = caught.value.problems[0]
    assert (first.line, first.column) == (line, column)
    assert first.message.endswith(".")


def test_a_few_lines_that_stand_for_millions_are_refused() -> None:
    doubled = "".join(f"b{n}: &b{n} [*b{n - 1}, *b{n - 1}, *b{n - 1}, *b{n - 1}]\n" for n in range(1, 30))
    with pytest.raises(InvalidInput, match="more than 100000 values"):
        read_documents(f"b0: &b0 [x, x, x, x]\n{doubled}".encode())


def test_a_file_without_measure_is_refused_unread() -> None:
    with pytest.raises(TooLarge):
        read_documents(b"#" * (LARGEST_FILE + 1))
