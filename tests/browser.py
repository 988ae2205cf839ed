"""A real browser for the tests of pages: headless Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
_READY = "document.documentElement.dataset.ready === 'yes'"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser; one at a time in a process, since Playwright runs an event loop as long as there is one."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        message = "no Chromium here: install the package 'chromium' to see pages in a browser"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_OPTIONS)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, page: Path, *, width: int = 1100, dark: bool = False) -> Iterator[Page]:
    """Open a page from disk and wait until its figures are drawn; in the end nothing was blocked or went wrong."""
    told: list[str] = []
    scheme = "dark" if dark else "light"
    tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab.on("console", lambda message: told.append(message.text))  # blocked and failed requests are told here
    tab.on("pageerror", lambda error: told.append(str(error)))
    tab.on("request", lambda request: None if _own(request.url) else told.append(f"request: {request.url[:200]}"))
    tab.goto(page.as_uri())
    tab.wait_for_function(_READY, timeout=60_000)
    yield tab
    tab.close()
    if told:
        pytest.fail("\n".join(told))


def shown(page: Path) -> str:
    """Return the document that a browser shows; its picture is not blank."""
    with chromium() as browser, opened(browser, page) as tab:
        assert len(tab.screenshot(full_page=True)) > 50_000
        return tab.content()


def _own(url: str) -> bool:
    return url.startswith(("file:", "data:"))
