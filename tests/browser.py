"""A real browser for the tests of pages."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def shown(page: Path, tmp_path: Path) -> str:
    """Return the document that headless Chromium shows; nothing is blocked, the picture is not blank."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        message = "no Chromium here: install the package 'chromium' to see the report in a browser"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--window-size=1100,2400"]

    def browse(action: str) -> subprocess.CompletedProcess[str]:
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        command = [chromium, *options, profile, action, page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    dumped = browse("--dump-dom")
    assert "CONSOLE" not in dumped.stderr  # a blocked or failed request would be told here
    browse(f"--screenshot={tmp_path / 'page.png'}")
    assert (tmp_path / "page.png").stat().st_size > 50_000
    return dumped.stdout
