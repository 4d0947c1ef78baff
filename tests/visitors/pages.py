"""Forms as a browser has them: what a page holds comes back with it, beside what is typed."""

from html.parser import HTMLParser
from typing import Any

from django.test import Client

from tests.visitors.roles import text


class _Fields(HTMLParser):
    """The fields of a page's forms, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._name = ""
        self._in_textarea = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "input" and found.get("name") and "disabled" not in found:
            if found.get("type") != "checkbox" or "checked" in found:
                self.values[str(found["name"])] = found.get("value") or ("on" if found["type"] == "checkbox" else "")
        elif tag in ("select", "textarea"):
            self._name, self._in_textarea = str(found["name"]), tag == "textarea"
            self.values[self._name] = ""
        elif tag == "option" and "selected" in found:
            self.values[self._name] = found.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        self._in_textarea = self._in_textarea and tag != "textarea"

    def handle_data(self, data: str) -> None:
        if self._in_textarea:
            self.values[self._name] += data


def fields(page: str) -> dict[str, str]:
    """What a page would send, untouched."""
    parser = _Fields()
    parser.feed(page)
    # A line break right behind the opening tag belongs to the markup.
    return {name: value.removeprefix("\n") for name, value in parser.values.items()}


def opened(browser: Client, path: str) -> dict[str, str]:
    """The fields of the page at a path, as somebody has it open."""
    return fields(text(browser, path))


def send(browser: Client, path: str, **typed: Any) -> str:
    """Open a page, type, and send it; the page that comes then."""
    return browser.post(path, {**opened(browser, path), **typed}, follow=True).content.decode()
