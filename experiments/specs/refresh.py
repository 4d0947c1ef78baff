"""A file brought up to what there is: its comments, its order and what it leaves out stay."""

import json
import re
from io import StringIO
from typing import Any

from experiments.specs.apply import checked_items
from experiments.specs.export import INDENTATION, writer
from experiments.specs.items import Item
from experiments.specs.merging import merge

_LIST = re.compile(r"^( *)[\w-]+:[ ]*(?:#.*)?\n( *)- ", re.MULTILINE)


def refreshed(content: bytes) -> str:
    """The file with all that it describes as it is now; what is not there stays as it is described.

    Raises `InvalidInput` as `plan` does for a file that makes no sense.
    """
    items = checked_items(content)
    text = content.decode("utf-8-sig")
    if text.lstrip().startswith("{"):
        return _json(text, items)
    yaml = writer(_indentation(text))
    yaml.explicit_start = text.startswith("---")
    documents = list(yaml.load_all(text))
    _merge(documents, items)
    stream = StringIO()
    yaml.dump_all(documents, stream)
    return stream.getvalue()


def _indentation(text: str) -> int:
    """By how much the file indents the entries of a list."""
    found = _LIST.search(text)
    return len(found[2]) - len(found[1]) if found else INDENTATION


def _json(text: str, items: list[Item]) -> str:
    document = json.loads(text)
    _merge([document], items)
    return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n"


def _merge(documents: list[Any], items: list[Item]) -> None:
    for item in items:
        row = item.kind.rows.filter(key=item.key).first()
        if row is not None:
            plural, number = item.path
            thing = documents[item.document.number][plural][number]
            merge(thing, item.kind.meant(row, item.content), item.kind.shown(row))
