"""Every field of every form, every path and every query, given what no field may hold: a page in words, no failure."""

from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from itertools import cycle, islice
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import transaction
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import URLPattern

from controlplane.audit.actors import SLUICE
from controlplane.models import Role, Token, User
from controlplane.problems.request_limits import LARGEST_BODY
from experiments.actions.start import start
from routing.models import AccessKey, Edge, Issuer, Layer
from routing.resources.register import register
from tests.controlplane.api.test_permissions import ISSUER
from tests.factories.drafts import backend, draft, endpoint
from tests.visitors.roles import visitor

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

FORM = "application/x-www-form-urlencoded"
PLACES = {
    "backend": "lonely",
    "endpoint": "chat",
    "edge": "far",
    "layer": "empty",
    "issuer": "login",
    "metric": "latency",
    "experiment": "waiting",
    "access-key": "1",
    "routing-table": "1",
    "token": "abcd",
    "people": "vera",
    "join": "1",
}
NASTY = {
    "a NUL": "a\x00b",
    "nothing": "",
    "space": " \t\n ",
    "too large a number": "1e999",
    "no number": "NaN",
    "infinity": "-Infinity",
    "the largest number": "1.7976931348623157e308",
    "the smallest number": "5e-324",
    "minus nothing": "-0",
    "a number of 400 digits": "9" * 400,
    "a number of 5 000 digits": "9" * 5000,
    "a number of 65 bits": "18446744073709551616",
    "a long text": "a" * 300_000,
    "many lines": "x!\n" * 20_000,
    "many pairs": "\n".join(f"name-{number}: value" for number in range(20_000)),
    "deep JSON": "[" * 100_000,
    "deep and closed JSON": '{"a":' * 3000 + "1" + "}" * 3000,
    "JSON with half a character": r'[{"key": "\ud800"}]',
    "JSON with no number": '[{"percent": NaN, "seconds": 1e999, "requests": ' + "9" * 400 + "}]",
    "JSON of many": "[" + "{}," * 20_000 + "{}]",
    "JSON of another shape": '{"a": [1]}',
    "markup": "<script>'\"&",
    "a percent sign": "%(x)s {x} {{ x }} %",
    "beyond the first plane": "\U0001f600\u202e\ufffe",
}
BODIES = [
    (b"a=\xff\xfe", FORM),
    (b"a=%ED%A0%80", FORM),
    (b"a=b", f"{FORM}; charset=rot13"),
    (b"a=b", f"{FORM}; charset=utf-16"),
    (b"a=b", f"{FORM}; charset=no-such-one"),
    (b"a=b", "multipart/form-data"),
    (b"a=b", "multipart/form-data; boundary=x"),
    (
        b'--x\r\nContent-Disposition: form-data; name="reason"\r\n\r\n\\ud800\r\n--x--',
        "multipart/form-data; boundary=x; charset=raw_unicode_escape",
    ),
    (
        b'--x\r\nContent-Disposition: form-data; name="reason"\r\n\r\na\x00b\r\n--x--',
        "multipart/form-data; boundary=x",
    ),
    (b"&".join(b"a=b" for _ in range(2000)), FORM),
    (b"a=" + b"b" * (LARGEST_BODY + 1), FORM),
    (b"{}", "application/json"),
    (b"", "\x00"),
]
SEGMENTS = ("%00", "%FF", "%ED%A0%80", "9" * 400, "-1", "a" * 5000, "a%0Ab")
QUERIED = ("a NUL", "nothing", "a number of 5 000 digits", "a number of 65 bits", "markup", "a long text")
QUERIES = ("page", "show", "seen", "effect", "variant", "draft", "actor", "verb", "object_key", "next")
IN_TURN = 3
"""How much of what is nasty a field is given whose kind has been given all of it."""


def kind_of(tag: str, name: str, attributes: dict[str, str | None]) -> str:
    """What is read alike: choices, inputs of one type whatever their bounds, what rows of things all have."""
    if tag == "select":
        return tag
    if tag == "input" and attributes.get("type") != "hidden":
        return " ".join(f"{asked}={attributes.get(asked)}" for asked in ("type", "step"))
    return "initial" if name.startswith("initial-") else name.rpartition("-")[2]


class _Fields(HTMLParser):
    """The fields of a page's forms, with what they hold."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.kinds: dict[str, str] = {}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        known = dict(attributes)
        name = known.get("name")
        if tag in ("input", "select", "textarea", "button") and name and name != "csrfmiddlewaretoken":
            self.values[name] = known.get("value") or ""
            self.kinds[name] = kind_of(tag, name, known)


def patterns(found: Any, prefix: str = "/") -> Iterator[str]:
    """The paths of all pages, with the names of what varies in them."""
    for one in found:
        path = f"{prefix}{one.pattern}"
        if isinstance(one, URLPattern):
            yield path
        else:
            yield from patterns(one.url_patterns, path)


def filled(pattern: str, segment: str | None = None) -> str:
    """A path of something that is there, or with another segment in its place."""
    head, _, rest = pattern.partition("<")
    kind = head.strip("/").rpartition("/")[2].removesuffix("s")
    _, _, tail = rest.partition(">")
    return f"{head}{segment or PLACES[kind]}{tail}" if rest else head


PATTERNS = sorted({path for path in patterns(get_resolver().url_patterns) if not path.startswith(("/api", "/ofrep"))})


@pytest.fixture(scope="module", autouse=True)
def _things(module_database: None) -> None:
    endpoint()
    backend("lonely")
    endpoint("chat", standby="")
    Edge.objects.create(name="far", seen_at="2026-01-01T00:00:00Z")
    register(Layer(key="empty", name="Empty"), actor=SLUICE)
    register(Issuer(**ISSUER), actor=SLUICE)
    AccessKey.objects.create(pk=1, client="batch", prefix="slk_", digest="0" * 64)
    User.objects.create_user("vera", role=Role.VIEWER)
    draft("waiting", traffic=10)
    start(draft("live", traffic=10), actor=SLUICE)


@pytest.fixture
def browser(_things: None) -> Client:
    client = visitor(Role.ADMIN)
    client.raise_request_exception = False
    Token.objects.create(user_id=client.session["_auth_user_id"], name="t", prefix="abcd", digest="0" * 64)
    return client


def in_turn(pattern: str, values: Iterable[str]) -> Iterator[str]:
    """All of them again and again, from another one for each page."""
    return islice(cycle(values), PATTERNS.index(pattern), None)


def send(browser: Client, method: str, path: str, body: bytes | str = "", kind: str = FORM) -> Any:
    """Send it, and undo what it did."""
    with transaction.atomic():
        answer = browser.generic(method, path, body, kind)
        transaction.set_rollback(True)
    assert answer.status_code < 500, f"{method} {path[:100]} {body[:200]!r}"
    return answer


def fields(browser: Client, path: str) -> tuple[dict[str, str], dict[str, str]]:
    """What the fields of the forms on a page hold, and their kinds."""
    found = _Fields()
    answer = browser.get(path)
    if answer.status_code == 200:
        found.feed(answer.content.decode())
    return found.values or {"reason": ""}, found.kinds or {"reason": "reason"}


@pytest.fixture(scope="module")
def known() -> set[str]:
    """The kinds of the fields that have been given all."""
    return set()


def test_every_kind_of_thing_in_a_path_is_known() -> None:
    assert {filled(pattern) for pattern in PATTERNS} >= {"/backends/lonely/edit", "/experiments/waiting/halt"}


@pytest.mark.database
@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_field_of_a_form_takes_it(pattern: str, browser: Client, known: set[str]) -> None:
    path, turn = filled(pattern), in_turn(pattern, NASTY.values())
    values, kinds = fields(browser, path)
    for name, kind in kinds.items():
        for nasty in islice(turn, IN_TURN) if kind in known else NASTY.values():
            send(browser, "POST", path, urlencode({**values, name: nasty}))
        if kind not in known:
            send(browser, "POST", path, urlencode([(name, "a"), (name, "b"), *values.items()]))
            send(browser, "POST", path, urlencode({other: value for other, value in values.items() if other != name}))
        known.add(kind)
    send(browser, "POST", path, urlencode({f"{name}\x00": value for name, value in values.items()}))


@pytest.mark.database
@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_path_or_query_takes_it(pattern: str, browser: Client) -> None:
    for path in dict.fromkeys([filled(pattern), *(filled(pattern, segment) for segment in SEGMENTS)]):
        for method in ("GET", "POST", "HEAD", "PUT", "OPTIONS"):
            send(browser, method, path)
    for name, nasty in zip(QUERIES, in_turn(pattern, QUERIED), strict=False):
        send(browser, "GET", f"{filled(pattern)}?{name}={quote(NASTY[nasty][:6000])}")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_body_is_it(pattern: str, browser: Client) -> None:
    for body, kind in BODIES:
        send(browser, "POST", filled(pattern), body, kind)


@pytest.mark.parametrize("path", ["/nothing\x00", "/login?next=%00", "/static/%00", "/static/" + "a" * 5000])
def test_strangers_break_nothing(path: str, db: None) -> None:
    browser = Client(raise_request_exception=False)
    for method in ("GET", "POST"):
        assert browser.generic(method, path).status_code < 500
    browser.cookies["sluice_session"] = '"\\000abcdefgh"'
    assert browser.get(path).status_code < 500
