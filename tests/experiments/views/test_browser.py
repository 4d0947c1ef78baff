"""An experiment's life in a real browser, wide and narrow, with and without JavaScript."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, StorageState, expect, sync_playwright

from tests.system_packages import find_chromium
from tests.visitors.website import FILL, NAME, PASSWORD, run_website
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

WIDTHS = (1280, 390)
PAGES = (
    "/",
    "/experiments/new",
    "/backends",
    "/endpoints",
    "/endpoints/new",
    "/endpoints/chat/edit",
    "/endpoints/chat/stop",
    "/backends/new",
    "/backends/stable/delete",
    "/access-keys",
    "/issuers",
    "/issuers/new",
    "/outcomes",
    "/data-health",
    "/experiments/measured",
    "/experiments/measured/promote",
    "/experiments/wordy/forecast",
    "/metrics/new",
    "/layers",
    "/layers/new",
    "/kill-switch",
    "/metrics",
    "/edges",
    "/routing-tables",
    "/audit",
    "/tokens",
    "/password",
)
MINUTE_MS = 60_000
REASON = "It answers in Latin."
WORDY = """
from tests.experiments.views.findings import planned
from tests.factories.drafts import backend
backend("third")
stages = [{"coverage": coverage, "soak_seconds": 0} for coverage in range(1, 51)]
planned("wordy", name="u" * 100, hypothesis="x" * 400, control={"key": "c" * 63, "backend": "stable"}, stages=stages)
"""
OVERFLOW = "page => page.scrollWidth - page.clientWidth"


@pytest.fixture(scope="module")
def website(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_website(tmp_path_factory.mktemp("website"), FILL + WORDY) as address:
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=options, timeout=PATIENCE_SECONDS * 1000
        )
        yield browser
        browser.close()


class Visitors:
    """Opens browsers of some width in which the approver is logged in; what their consoles complain about is kept."""

    def __init__(self, chromium: Browser, website: str, session: StorageState) -> None:
        self._chromium = chromium
        self._website = website
        self._session = session
        self._contexts: list[BrowserContext] = []
        self.errors: list[str] = []

    def open(self, width: int = 1280, *, javascript: bool = True) -> Page:
        """A page of a browser of its own, still empty."""
        context = self._chromium.new_context(
            viewport={"width": width, "height": 850},
            base_url=self._website,
            java_script_enabled=javascript,
            storage_state=self._session,
        )
        self._contexts.append(context)
        return self._watched(context)

    def close(self) -> None:
        """Close all: an open page goes on asking the server."""
        for context in self._contexts:
            context.close()

    def _watched(self, context: BrowserContext) -> Page:
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        page = context.new_page()
        page.on("console", lambda said: self.errors.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        return page


def log_in(page: Page) -> None:
    page.goto("/login")
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_attached()


@pytest.fixture(scope="module")
def session(chromium: Browser, website: str) -> StorageState:
    """The cookies of the approver."""
    context = chromium.new_context(base_url=website)
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    log_in(context.new_page())
    cookies = context.storage_state()
    context.close()
    return cookies


@pytest.fixture
def visitors(chromium: Browser, website: str, session: StorageState) -> Iterator[Visitors]:
    opened = Visitors(chromium, website, session)
    yield opened
    opened.close()


def create(page: Page, key: str, candidate: str = "candidate") -> None:
    """Fill the form and save the draft."""
    page.goto("/experiments/new")
    page.get_by_label("Name", exact=True).fill(f"The experiment {key}")
    page.get_by_label("Key", exact=True).fill(key)
    page.get_by_label("Endpoint").select_option("chat")
    page.get_by_label("Control backend").select_option("stable")
    page.get_by_label("Candidate backend").select_option(candidate)
    page.get_by_label("Traffic, %").fill("10")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("heading", name=f"The experiment {key}")).to_be_visible()


def start(page: Page) -> None:
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".verdict")).to_contain_text("Running")


def halt(page: Page) -> None:
    page.get_by_label("Reason to halt").fill(REASON)
    page.get_by_role("button", name="Halt now").click()
    expect(page.locator(".verdict")).to_contain_text(f"Halted on stage 1 of 4 (5 %): {REASON}")


def _alert(page: Page, text: str) -> Locator:
    """The alert that says this; another may tell that no worker runs, of which this website has none."""
    return page.get_by_role("alert").filter(has_text=text)


def fits(page: Page) -> bool:
    return bool(page.locator("html").evaluate(OVERFLOW) <= 0)


@pytest.mark.parametrize("width", WIDTHS)
def test_long_words_and_many_stages_fit(visitors: Visitors, width: int) -> None:
    page = visitors.open(width)
    page.goto("/experiments/wordy")
    assert fits(page)
    boxes = [stage.bounding_box() for stage in page.locator(".stages li").all()]
    assert len(boxes) == 50
    assert all(box and box["width"] >= 80 for box in boxes)


@pytest.mark.parametrize("width", WIDTHS)
def test_from_login_to_halt(visitors: Visitors, width: int) -> None:
    page = visitors.open(width)
    page.context.clear_cookies()
    log_in(page)
    create(page, f"wide-{width}")
    assert fits(page)
    start(page)
    assert fits(page)
    halt(page)
    assert fits(page)
    expect(page.locator("#part-log")).to_contain_text(f"{REASON} by {NAME}")
    expect(page.get_by_role("button", name="Halt now")).to_have_count(0)
    assert visitors.errors == []


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_the_screen(visitors: Visitors, width: int) -> None:
    page = visitors.open(width)
    too_wide = []
    for path in PAGES:
        page.goto(path)
        if not fits(page):
            too_wide.append(path)
    assert (too_wide, visitors.errors) == ([], [])


def test_a_script_that_somebody_smuggles_in_does_not_run(visitors: Visitors) -> None:
    page = visitors.open()
    page.goto("/")
    page.evaluate("""() => {
        const smuggled = document.createElement("script");
        smuggled.textContent = "window.ran = true";
        document.body.append(smuggled);
        document.body.insertAdjacentHTML("beforeend", "<img src='/nowhere' onerror='window.ran = true'>");
    }""")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in error for error in visitors.errors)


def test_it_all_works_without_javascript(visitors: Visitors) -> None:
    page = visitors.open(javascript=False)
    page.goto("/experiments/new")
    page.get_by_role("button", name="Add metric").click()
    expect(page.get_by_role("group", name="Metric 3")).to_be_visible()
    create(page, "plain")
    start(page)
    halt(page)


def test_rows_come_and_go_without_a_new_page(visitors: Visitors) -> None:
    page = visitors.open()
    page.goto("/experiments/new")
    page.get_by_label("Hypothesis").fill("It answers better.")
    rows = page.locator(".row.metric")
    page.get_by_role("button", name="Add metric").click()
    expect(rows).to_have_count(3)
    page.get_by_role("button", name="Remove metric 1").click()
    expect(rows).to_have_count(2)
    expect(page.locator("#sheet")).to_have_count(1)
    expect(page.get_by_label("Hypothesis")).to_have_value("It answers better.")
    assert visitors.errors == []


@pytest.mark.parametrize("width", WIDTHS)
def test_a_draft_is_edited_beside_somebody_else(visitors: Visitors, width: int) -> None:
    one, other = (visitors.open(width) for _ in range(2))
    create(one, f"edited-{width}")
    for page in (one, other):
        page.goto(f"/experiments/edited-{width}")
        page.get_by_role("link", name="Edit", exact=True).click()
        expect(page.get_by_label("Hypothesis")).to_be_visible()
        assert fits(page)
    other.get_by_label("Hypothesis").fill("It answers better.")
    other.get_by_role("button", name="Save draft").click()
    expect(other.get_by_text("The draft is changed.")).to_be_visible()

    one.get_by_role("button", name="Add candidate").click()
    row = one.get_by_role("group", name="Candidate 2")
    row.get_by_label("Candidate backend").select_option("stable")
    row.get_by_text("What it changes of requests").click()
    row.get_by_label("Headers for the candidate").fill("x-prompt: v2")
    one.get_by_text("Looks, and the guard of the edges").click()
    one.get_by_label("Looks").fill("5")
    assert fits(one)
    one.get_by_role("button", name="Save draft").click()
    expect(_alert(one, "Nothing is saved: this was changed after you opened it.")).to_be_visible()
    expect(one.get_by_label("Hypothesis")).to_have_value("It answers better.")
    assert fits(one)
    one.get_by_role("button", name="Save draft").click()
    expect(one.get_by_text("The draft is changed.")).to_be_visible()
    expect(one.locator("#part-log")).to_contain_text("Edited")
    assert visitors.errors == []


def test_an_open_page_follows_by_itself_and_rests_at_the_end(visitors: Visitors, website: str) -> None:
    watching, acting = (visitors.open() for _ in range(2))
    create(acting, "watched")
    start(acting)
    watching.clock.install()
    watching.goto("/experiments/watched")
    watching.get_by_label("Reason to halt").fill("half typed")
    with watching.expect_response(lambda answer: "/live" in answer.url):
        pass
    expect(watching.get_by_label("Reason to halt")).to_have_value("half typed")
    halt(acting)
    expect(watching.locator(".verdict")).to_contain_text("Halted")
    asked: list[str] = []
    watching.on("request", lambda request: asked.append(request.url))
    watching.clock.run_for(MINUTE_MS)
    with watching.expect_response("**/login"):
        watching.evaluate("void fetch('/login')")
    assert (asked, visitors.errors) == ([f"{website}/login"], [])


@pytest.mark.parametrize("width", WIDTHS)
def test_the_kill_switch_is_seen_at_once_on_an_open_page(visitors: Visitors, width: int) -> None:
    watching, acting = (visitors.open(width) for _ in range(2))
    watching.goto("/experiments/measured")
    acting.goto("/endpoints")
    acting.get_by_role("link", name="Stop all experiments…").click()
    acting.get_by_label("Reason").fill(REASON)
    acting.get_by_role("button", name="Stop all experiments").click()
    expect(watching.get_by_text(f"by {NAME}: {REASON}")).to_be_visible()
    assert fits(watching)
    assert fits(acting)
    acting.get_by_role("link", name="Let them run again…").click()
    acting.get_by_label("Reason").fill("It speaks English again.")
    acting.get_by_role("button", name="Let them run again").click()
    expect(watching.get_by_text("Stopped by the kill switch")).to_have_count(0)
    assert visitors.errors == []


def test_the_menu_opens_on_a_narrow_screen(visitors: Visitors) -> None:
    page = visitors.open(390)
    page.goto("/")
    link = page.get_by_role("link", name="Routing tables")
    expect(link).not_to_be_visible()
    page.get_by_role("button", name="Menu").click()
    link.click()
    expect(page.get_by_role("heading", name="Routing tables")).to_be_visible()


def test_the_keyboard_reaches_the_content_first(visitors: Visitors) -> None:
    page = visitors.open()
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/#content")


@pytest.mark.parametrize(("width", "shown", "hidden"), [(1280, "wide", "narrow"), (390, "narrow", "wide")])
def test_drawings_follow_the_width(visitors: Visitors, width: int, shown: str, hidden: str) -> None:
    page = visitors.open(width)
    page.goto("/experiments/measured")
    for part in ("results", "effect", "course"):
        page.locator(f"#part-{part} .on-{shown}").scroll_into_view_if_needed()
        expect(page.locator(f"#part-{part} .on-{shown} svg")).to_be_visible()
        expect(page.locator(f"#part-{part} .on-{hidden} svg")).not_to_be_visible()
    assert fits(page)


def test_a_narrow_page_goes_on_asking_for_narrow_drawings(visitors: Visitors) -> None:
    page = visitors.open(390)
    page.goto("/experiments/measured")
    page.locator("#part-results .on-narrow").scroll_into_view_if_needed()
    with page.expect_request(lambda request: "/live?" in request.url and "width=narrow" in request.url):
        expect(page.locator("#part-results .on-narrow svg")).to_be_visible()
    assert visitors.errors == []


@pytest.mark.parametrize("width", WIDTHS)
def test_a_form_that_was_open_during_a_promotion_undoes_nothing(visitors: Visitors, width: int) -> None:
    one, other = (visitors.open(width) for _ in range(2))
    create(other, f"beside-{width}", candidate="third")
    start(other)
    one.goto("/endpoints/chat/edit")
    other.get_by_role("link", name="Promote…").click()
    other.get_by_label("Reason").fill(REASON)
    other.get_by_role("button", name="Promote candidate to all users").click()
    expect(other.locator(".verdict")).to_contain_text("Promoted: all users of chat get third.")

    one.get_by_label("Name", exact=True).fill(f"Chat at {width}")
    one.get_by_role("button", name="Save and publish").click()

    expect(_alert(one, "Nothing is saved: this was changed after you opened it.")).to_be_visible()
    expect(one.get_by_role("row").filter(has_text="Default backend")).to_contain_text("third")
    assert fits(one)
    one.get_by_role("button", name="Save and publish").click()
    expect(one.get_by_text("Endpoint chat is changed")).to_be_visible()
    other.goto("/endpoints/chat/edit")
    expect(other.get_by_label("Name", exact=True)).to_have_value(f"Chat at {width}")
    backend = other.get_by_label("Default backend")
    expect(backend.locator("option:checked")).to_have_text("third")
    backend.select_option("stable")
    other.get_by_role("button", name="Save and publish").click()
    expect(other.get_by_text("Endpoint chat is changed")).to_be_visible()


def test_calls_are_tried_as_who_is_logged_in(visitors: Visitors) -> None:
    page = visitors.open()
    page.goto("/api/swagger")
    page.locator("#operations-access-keys-access_keys_create").get_by_role("button").first.click()
    page.get_by_role("button", name="Try it out").click()
    body = page.locator("#operations-access-keys-access_keys_create textarea")
    body.fill('{"client": "tried", "endpoints": ["chat"]}')
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response .response-col_status")).to_contain_text("201")
    assert visitors.errors == []


def test_the_reference_is_drawn_though_nothing_comes_from_elsewhere(visitors: Visitors) -> None:
    page = visitors.open()
    page.goto("/api/redoc")
    page.get_by_role("menuitem", name="experiments").click()
    expect(page.get_by_role("heading", name="All experiments")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.menu-content')).position") == "sticky"
