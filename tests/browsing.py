"""A real browser for tests: Debian's Chromium, which nothing that a page does escapes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


def chromium() -> str:
    """The browser's file; without it the test is skipped, or fails where it must be there."""
    found = shutil.which("chromium")
    if found is None:
        reason = "no chromium found on the PATH; install it (Debian: apt-get install chromium)"
        if os.environ.get("CI_BROWSER") == "1":
            pytest.fail(f"{reason}: CI_BROWSER=1 says that it must be there", pytrace=False)
        pytest.skip(reason)
    return found


@contextmanager
def browser() -> Iterator[Any]:
    """A browser that finds no other host; `tests/browser/conftest.py` says how long it lives."""
    executable = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=executable,
            # Chromium's own sandbox does not work for root.
            chromium_sandbox=os.geteuid() != 0,
            args=["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
        )
        yield launched
        launched.close()


@dataclass
class Watched:
    """What must never happen on a page of ours, noted as it happens.

    Attributes:
        folder: pages below it may be opened; nothing else may be requested.
        troubles: what happened, a line each.
    """

    folder: Path
    troubles: list[str] = field(default_factory=list)

    def watch(self, context: Any) -> None:
        """Note what happens on all pages of a browser's context."""
        context.on("request", self._requested)
        context.on("page", self._opened)

    def _opened(self, page: Any) -> None:
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("dialog", self._asked)
        page.on("download", lambda file: self.troubles.append(f"download: {file.url}"))
        page.on("popup", lambda other: self.troubles.append(f"popup: {other.url}"))

    def _requested(self, request: Any) -> None:
        ours = request.url.startswith(self.folder.as_uri() + "/")
        if not (ours and request.is_navigation_request() and request.resource_type == "document"):
            self.troubles.append(f"request: {request.url[:200]}")

    def _said(self, message: Any) -> None:
        # What the policy blocked is said here, too.
        if message.type in ("error", "warning", "assert"):
            self.troubles.append(f"console: {message.text}")

    def _asked(self, dialog: Any) -> None:
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()


RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}


def violations(page: Any) -> list[str]:
    """What axe-core finds wrong with a page, by WCAG 2.2 AA and good practice."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:160]} {node.get('failureSummary', '')}"
        for rule in found
        for node in rule["nodes"]
    ]
