"""A person's way in, with a real browser: the link of CreateWebLoginToken ends on Airflow's home page, signed in.

Needs Debian's `chromium` and `libnss3-tools`; without them there is nothing to see and the tests are skipped. The
browser trusts the service's own root through its certificate store, as a person's would, so a wrong certificate fails.
"""

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.contract.entering import post_login
from tests.integration.chromium import CERTUTIL, CHROMIUM, trust

pytestmark = pytest.mark.skipif(not (CHROMIUM and CERTUTIL), reason="needs chromium and certutil (libnss3-tools)")
TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]+>", re.DOTALL)


class Browser:
    """Chromium without a window, with a profile of its own that trusts one more root."""

    def __init__(self, home: Path, root: Path) -> None:
        self.home = home
        trust(home, root)

    def see(self, url: str, picture: str) -> str:
        """The page's markup once its scripts are done; a picture lies beside the profile."""
        done = subprocess.run(
            [
                CHROMIUM, "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                *(["--no-sandbox"] if os.geteuid() == 0 else []),  # chromium refuses its sandbox to root
                f"--user-data-dir={self.home / 'profile'}", "--window-size=1400,900", "--virtual-time-budget=20000",
                "--dump-dom", f"--screenshot={self.home / picture}", url,
            ],
            env={"HOME": str(self.home), "PATH": os.environ["PATH"]},
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        assert (self.home / picture).stat().st_size > 5_000
        return done.stdout


@pytest.fixture
def browser(service, tmp_path):
    return Browser(tmp_path, service.data / "ca" / "storage" / "pki" / "authorities" / "local" / "root.crt")


@pytest.fixture
def link(mwaa, environment):
    """The console's link, as the documentation builds it."""
    token = mwaa.create_web_login_token(Name=environment)
    return f"https://{token['WebServerHostname']}/aws_mwaa/aws-console-sso?login=true#{token['WebToken']}"


def words(markup):
    return " ".join(TAGS.sub(" ", markup).split())


def test_the_link_ends_on_airflows_home_page(browser, link):
    page = browser.see(link, "home.png")
    assert "<title>Home - Airflow</title>" in page
    for item in ("Dags", "Admin", "Security", "Welcome"):  # Security is for Admins alone
        assert item in words(page)
    assert link.rpartition("#")[2] not in page


def test_a_link_works_once_and_the_page_says_so(service, browser, link):
    parts = urlsplit(link)
    assert post_login(service, parts.netloc, parts.fragment).status_code == 200
    page = words(browser.see(link, "used.png"))
    assert "Sign-in failed: The token has been used. Ask for a new one." in page
    assert "create-web-login-token" in page


def test_a_visitor_without_a_session_is_told_how_to_sign_in(browser, link):
    page = words(browser.see(link.partition("?")[0], "visitor.png"))
    assert "You are not signed in." in page
    assert "create-web-login-token" in page
