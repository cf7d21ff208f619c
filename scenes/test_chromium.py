# SPDX-License-Identifier: Apache-2.0
"""A page in a real browser. A certificate it does not believe gives an interstitial
instead of the page, so the page's own text says that the padlock was closed."""

import os

import pytest

import lab
from conftest import need

PAGE = b"<!doctype html><title>t</title><p id=x>before</p><script>x.textContent='page ran'</script>"
QUIET = ["--headless=new", "--disable-gpu", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-extensions",
         "--disable-dev-shm-usage", "--disable-domain-reliability", "--disable-crash-reporter"]


def load(street, which, place, ca):
    store = place / ".pki" / "nssdb"
    store.mkdir(parents=True)
    lab.run("certutil", "-N", "-d", f"sql:{store}", "--empty-password")
    lab.run("certutil", "-A", "-d", f"sql:{store}", "-n", "lab", "-t", "C,,", "-i", ca)
    street.route(which, "page", lambda handler: handler.answer(PAGE, "text/html"))
    env = {"PATH": os.environ["PATH"], "HOME": str(place), "XDG_CONFIG_HOME": str(place / "c"),
           "XDG_CACHE_HOME": str(place / "k")}
    command = ["chromium", *QUIET, f"--user-data-dir={place}/profile",
               f"--proxy-server={street.gateway.url}", "--virtual-time-budget=8000", "--dump-dom"]
    if os.getuid() == 0:
        command.append("--no-sandbox")
    return lab.run(*command, street.url(which, "/page"), env=env, timeout=90, check=False).stdout


@pytest.fixture(autouse=True)
def installed():
    need("chromium", "certutil")


@pytest.mark.parametrize("which", ["good", "bypassed"])
def test_the_page_loads_without_a_certificate_error(street, tmp_path, which):
    assert "page ran" in load(street, which, tmp_path, street.trust(which))


def test_an_untrusted_origin_gives_our_page_and_not_its_own(street, tmp_path):
    dom = load(street, "untrusted", tmp_path, street.gateway.root)
    assert "page ran" not in dom and "www.untrusted.example" in dom


def test_without_our_root_the_browser_refuses(street, tmp_path):
    before = len(street.origins["good"].seen)
    assert "page ran" not in load(street, "good", tmp_path, street.pki.root)
    assert not any(path == "/page" for _, path, _ in street.origins["good"].seen[before:])
