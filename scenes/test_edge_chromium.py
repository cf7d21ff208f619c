# SPDX-License-Identifier: Apache-2.0
"""A real browser with a client's certificate: the PKCS#12 in its NSS store, chosen for the
edge by policy, and refused on its next visit when it was taken back.

Chromium asks a person which certificate to show, unless a policy of the machine says so. That
policy lies in a copy of parts of /etc in a mount namespace of the browser's own: nothing outside sees it. Where none
can be had (no root, no user namespaces), the scene is skipped and says so.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

import lab
from conftest import need
from edge_cast import Edge
from test_chromium import QUIET

PAGE = b"<!doctype html><title>t</title><p id=x>before</p><script>x.textContent='page ran'</script>"
NEEDED = ("alternatives", "chromium", "chromium.d", "fonts", "group", "host.conf", "hosts", "ld.so.cache",
          "ld.so.conf", "ld.so.conf.d", "localtime", "machine-id", "mime.types", "nsswitch.conf", "passwd",
          "resolv.conf", "ssl/certs", "ssl/openssl.cnf")
BODY = """
	clients api.shop.test {{ certificate ask; managed {ca} }}
	rule no-cert when http.host contains "api.shop.test" and (not cf.tls_client_auth.cert_verified or \
cf.tls_client_auth.cert_revoked) do block "a certificate is needed"
"""


def in_namespace(*command):
    """The command where the machine's policies can be replaced."""
    own = [] if os.getuid() == 0 else ["--map-root-user", "--user"]
    return ["unshare", *own, "--mount", "--propagation", "private", *map(str, command)]


class Browser:
    def __init__(self, edge, folder, p12):
        self.edge, self.folder = edge, folder
        store = folder / ".pki" / "nssdb"
        store.mkdir(parents=True)
        lab.run("certutil", "-N", "-d", f"sql:{store}", "--empty-password")
        lab.run("certutil", "-A", "-d", f"sql:{store}", "-n", "lab", "-t", "C,,", "-i", edge.root)
        (folder / "secret").write_text("geheim\n")
        if p12:
            lab.run("pk12util", "-d", f"sql:{store}", "-K", "", "-w", folder / "secret", "-i", p12)
        here = [f"etc/{name}" for name in NEEDED if (Path("/etc") / name).exists()]
        lab.run("cp", "-a", "--parents", *here, folder, cwd="/")
        policy = folder / "etc" / "chromium" / "policies" / "managed"
        policy.mkdir(parents=True, exist_ok=True)
        (policy / "select.json").write_text(json.dumps({"AutoSelectCertificateForUrls": [
            json.dumps({"pattern": "https://api.shop.test", "filter": {}})]}))
        folder.chmod(0o755)

    def visit(self, number):
        """The page's text; each visit with a profile of its own, so that no session is left."""
        place = self.folder
        env = {"PATH": os.environ["PATH"], "HOME": str(place), "XDG_CONFIG_HOME": str(place / "c"),
               "XDG_CACHE_HOME": str(place / "k")}
        chromium = ["chromium", *QUIET, f"--user-data-dir={place}/profile{number}",
                    f"--host-resolver-rules=MAP api.shop.test:443 127.0.0.1:{self.edge.port}",
                    "--virtual-time-budget=8000", "--dump-dom"]
        if os.getuid() == 0:
            chromium.append("--no-sandbox")
        script = 'mount --bind "$1" /etc && shift && exec "$@"'
        return lab.run(*in_namespace("sh", "-c", script, "sh", place / "etc", *chromium, "https://api.shop.test/"),
                       env=env, timeout=90, check=False).stdout


@pytest.fixture(autouse=True)
def installed():
    need("chromium", "certutil", "pk12util", "unshare")
    probe = subprocess.run(in_namespace("mount", "--bind", "/etc", "/etc"),
                           capture_output=True, text=True, timeout=30, check=False)
    if probe.returncode != 0:
        pytest.skip(f"no mount namespace for the browser's policy: {probe.stderr.strip()}")


def test_a_certificate_in_the_browsers_store_opens_the_site(program, stage, pki, tmp_path):
    folder = stage / "chromium-edge"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "secret").write_text("geheim\n")

    def client(verb, *more):
        subprocess.run([program.resolve(), "client", verb, "--dir", "ca", *more], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL, timeout=60)

    client("init")
    client("issue", "wanda", "--form", "pkcs12", "--passphrase", "secret")
    with Edge(program, folder / "edge", pki, body=BODY.format(ca=folder / "ca")) as edge:
        edge.origin.routes[""] = lambda handler: handler.answer(PAGE, "text/html")
        without = Browser(edge, tmp_path / "without", None)
        assert "page ran" not in (seen := without.visit(1)) and "a certificate is needed" in seen
        having = Browser(edge, tmp_path / "having", folder / "wanda.p12")
        assert "page ran" in having.visit(1)
        client("revoke", "wanda")
        lab.wait_for("the workers to know", lambda: edge.log().count("edge.crl clients=") >= 2)
        assert "page ran" not in (seen := having.visit(2)) and "a certificate is needed" in seen
