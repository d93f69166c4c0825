"""`make screenshots`: the README's pictures, from a demo that runs in a folder of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIETLY = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
# picture: what the demo calls the page, width, height, scheme, language
SHOTS = {
    "tracking-fern": ("1001", 1280, 900, "light", "en-US"),
    "tracking-volta-late": ("VN-20404", 1280, 900, "light", "de-DE"),
    "tracking-fern-phone": ("1001", 390, 844, "light", "en-US"),
    "tracking-volta-phone": ("VN-20402", 390, 844, "dark", "en-US"),
}
SECONDS = 90


def which_chromium() -> str | None:
    """Where Chromium is installed, if it is."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def main() -> None:
    """Start a demo, photograph it, and take it down again."""
    with tempfile.TemporaryDirectory() as home, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        given = {**os.environ, "DATABASE_URL": f"sqlite:///{home}/demo.db"}
        command = [sys.executable, "-m", "portal.cli", "demo", "--port", str(port)]
        demo = subprocess.Popen(command, env=given, stdout=subprocess.DEVNULL)
        try:
            _until_told(f"http://127.0.0.1:{port}/demo")
            _shoot(port)
        finally:
            demo.terminate()
            demo.wait(30)


def _until_told(address: str) -> None:
    """Wait until the demo answers and its parcels have been heard of."""
    for _second in range(SECONDS):
        try:
            with urlopen(address, timeout=5) as answer:  # noqa: S310 - our own loopback server
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(1)
    raise SystemExit("The demo did not start.")


def _shoot(port: int) -> None:
    path = which_chromium()
    if path is None:
        raise SystemExit("Chromium is not installed.")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIETLY)
        for name, (number, width, height, scheme, locale) in SHOTS.items():
            picture = _picture(browser, port, number, (width, height), (scheme, locale))
            file = PICTURES / f"{name}.webp"
            picture.save(file, "WEBP", quality=84, method=6)
            print(f"{file.relative_to(PICTURES.parent.parent)}  {file.stat().st_size:,} bytes")
        browser.close()


def _picture(
    browser: Browser, port: int, number: str, size: tuple[int, int], reader: tuple[str, str]
) -> Image.Image:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=reader[0],  # type: ignore[arg-type]
        locale=reader[1],
    )
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{port}/demo")
    row = page.locator("a", has=page.locator("b", has_text=number)).first
    page.goto(row.get_attribute("href") or "")
    page.wait_for_function("() => document.querySelector('[data-track=history] time')")
    page.evaluate("() => Promise.all([...document.images].map((image) => image.decode()))")
    taken = Image.open(BytesIO(page.screenshot()))
    context.close()
    return taken.convert("RGB")


if __name__ == "__main__":
    main()
