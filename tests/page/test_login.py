"""The form that stands before the page, in a browser: also from a name of the network, where it says less of itself."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.forked import run
from tests.server.process import ServerProcess


def test_a_token_is_pasted_once(browser: Browser, desk: Path, tmp_path: Path) -> None:
    store = tmp_path / "guarded.db"
    shutil.copy(desk, store)
    made = run(["token", "create", "--role", "read", "--store", str(store)], os.environ, tmp_path)
    server = ServerProcess(store)
    # The second is a name that the browser does not take for this machine: it sends no Sec-Fetch-Site there.
    for address in (server.url, server.url.replace("127.0.0.1", "traces.test")):
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{address}/?filter=x")
        page.locator("input[name=token]").fill("nonsense")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_contain_text("not one of this store")
        page.locator("input[name=token]").fill(made.stdout.decode().strip())
        page.get_by_role("button", name="Log in").click()
        expect(page.locator("input[name=token]")).to_have_count(0)
        assert page.url == f"{address}/?filter=x"
        [cookie] = context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        page.goto(f"{address}/login")
        with page.expect_navigation():  # or the next page takes its place before it is done
            page.get_by_role("button", name="Log out").click()
        page.goto(address)
        expect(page.locator("input[name=token]")).to_have_count(1)
        context.close()
    server.kill()


def test_a_link_of_another_site_leads_to_the_page(browser: Browser, desk: Path, tmp_path: Path) -> None:
    store = tmp_path / "guarded.db"
    shutil.copy(desk, store)
    made = run(["token", "create", "--role", "read", "--store", str(store)], os.environ, tmp_path)
    server = ServerProcess(store)
    page = browser.new_page()
    page.goto(server.url)
    page.locator("input[name=token]").fill(made.stdout.decode().strip())
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("input[name=token]")).to_have_count(0)
    link = f'<a href="{server.url}">there</a>'
    page.route("http://elsewhere.test/", lambda route: route.fulfill(body=link, content_type="text/html"))
    page.goto("http://elsewhere.test/")
    page.get_by_role("link", name="there").click()
    expect(page.get_by_text("One moment")).to_have_count(0)
    expect(page.locator("input[name=token]")).to_have_count(0)
    assert page.url.startswith(server.url)
    page.close()
    server.kill()
