"""Make sure that there is a Chromium for the browser tests, and print its path.

    python tests/chromium.py

One that is there already; else Debian's package; else Playwright's own. Exit status 1 when none can be had.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
INSTALL_TIMEOUT = 600.0


def executable() -> str | None:
    """Return the path of a Chromium of this machine or of Playwright's; None when there is neither."""
    found = (shutil.which(name) for name in NAMES)
    applications = (path for path in APPLICATIONS if os.access(path, os.X_OK))
    return next(filter(None, (*found, *applications)), None) or playwrights_own()


def playwrights_own() -> str | None:
    """Return the path of the Chromium that Playwright has downloaded; None when it has none."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> None:
    """Try Debian's package, then Playwright's download; what happens goes to standard error."""
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get") and (not sudo or shutil.which("sudo")):
        run(*sudo, "apt-get", "update")
        run(*sudo, "apt-get", "install", "-y", "--no-install-recommends", "chromium")
    if executable() is None:
        run(sys.executable, "-m", "playwright", "install", "chromium")


def run(*argv: str) -> None:
    """Run a command that may fail: the next way is tried then."""
    print("+", *argv, file=sys.stderr)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment, timeout=INSTALL_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        print(exc, file=sys.stderr)


def main() -> int:
    """Print the path of a Chromium, installed if need be."""
    if executable() is None:
        install()
    path = executable()
    print(path or "No Chromium, and none could be installed: the browser tests would fail.")
    return 0 if path else 1


if __name__ == "__main__":
    sys.exit(main())
