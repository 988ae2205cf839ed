"""A real browser for the tests of pages: headless Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
_READY = "document.documentElement.dataset.ready === 'yes'"


@contextmanager
def opened(page: Path, *, width: int = 1100, dark: bool = False) -> Iterator[Page]:
    """Open a page from disk and wait until its figures are drawn; in the end nothing was blocked or went wrong."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        message = "no Chromium here: install the package 'chromium' to see pages in a browser"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    told: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_OPTIONS)
        view: dict[str, Any] = {"viewport": {"width": width, "height": 900}}
        context = browser.new_context(**view, color_scheme="dark" if dark else "light")
        tab = context.new_page()
        tab.on("console", lambda message: told.append(message.text))  # blocked and failed requests are told here
        tab.on("pageerror", lambda error: told.append(str(error)))
        tab.on("request", lambda request: None if _own(request.url) else told.append(f"request: {request.url[:200]}"))
        tab.goto(page.as_uri())
        tab.wait_for_function(_READY, timeout=60_000)
        yield tab
        browser.close()
    if told:
        pytest.fail("\n".join(told))


def shown(page: Path, **view: Any) -> str:
    """Return the document that a browser shows."""
    with opened(page, **view) as tab:
        return tab.content()


def _own(url: str) -> bool:
    return url.startswith(("file:", "data:"))
