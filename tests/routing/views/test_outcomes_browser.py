"""A large file is imported from a page in a real browser, while the web app dies and comes back."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect, sync_playwright

from tests.servers.processes import stopping
from tests.system_packages import find_chromium
from tests.visitors.website import NAME, PASSWORD, PEOPLE, Website, run_web_app, start_app
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

SIZE = 7_000_000


@pytest.fixture
def website(tmp_path: Path) -> Iterator[Website]:
    with run_web_app(tmp_path, PEOPLE) as website:
        yield website


@pytest.fixture
def page(website: Website) -> Iterator[Page]:
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(base_url=website.address)
        page.goto("/login")
        page.get_by_label("Username").fill(NAME)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("button", name="Log out")).to_be_attached()
        yield page
        browser.close()


def kill(website: Website) -> None:
    """The app and its worker, which would go on for a second."""
    main = website.app.pid
    workers = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    for process in (main, *map(int, workers)):
        os.kill(process, signal.SIGKILL)
    website.app.wait()


def test_a_file_arrives_whole_though_the_web_app_is_killed(website: Website, page: Page, tmp_path: Path) -> None:
    line = b'{"name": "label", "unit": "ada", "time": "2026-01-05T10:00:00Z", "value": %07d}\n'
    content = b"".join(line % number for number in range(SIZE // len(line % 0)))
    (tmp_path / "labels.jsonl").write_bytes(content)
    arriving = Path(website.environment["SLUICE_DATA_DIRECTORY"], "imports")

    def die(part: Route) -> None:
        kill(website)
        part.continue_()

    page.route("**/content?offset=4000000", die, times=1)
    page.goto("/outcomes")
    page.get_by_label("File").set_input_files(tmp_path / "labels.jsonl")
    page.get_by_role("button", name="Import").click()
    expect(page.locator("#import-progress")).to_contain_text("Trying again")
    with stopping(start_app(website.environment)):
        expect(page.locator("#import-progress")).to_contain_text("its rows are taken now")
        expect(page.locator("#imports tbody tr").first).to_contain_text("Waiting")

    [file] = arriving.iterdir()
    assert file.read_bytes() == content
