# SPDX-License-Identifier: Apache-2.0
"""npm install from a registry that stands in for the public one."""

import base64
import hashlib
import io
import json
import os
import tarfile

import pytest

import lab
from conftest import need


def package():
    """A tarball as npm publishes them."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, text in (("package.json", '{"name": "tiny", "version": "1.0.0"}'),
                           ("index.js", "module.exports = 42;\n")):
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


def registry(base, tarball):
    """A route: the document of the package, and its tarball."""
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
    document = {"name": "tiny", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": {
        "name": "tiny", "version": "1.0.0",
        "dist": {"tarball": f"{base}/tiny/-/tiny-1.0.0.tgz", "integrity": integrity}}}}

    def answer(handler):
        if handler.path.endswith(".tgz"):
            handler.answer(tarball, "application/octet-stream")
        else:
            handler.answer(json.dumps(document).encode(), "application/json")

    return answer


def install(street, which, place):
    base = street.url(which, "")
    street.route(which, "tiny", registry(base, package()))
    (place / "package.json").write_text('{"name": "scene", "version": "1.0.0"}')
    env = {"PATH": os.environ["PATH"], "HOME": str(place), "npm_config_registry": base + "/",
           "npm_config_https_proxy": street.gateway.url, "npm_config_noproxy": "",
           "npm_config_cafile": str(street.trust(which)), "npm_config_cache": str(place / "cache"),
           "npm_config_fetch_retries": "0", "npm_config_update_notifier": "false"}
    return lab.run("npm", "install", "--no-audit", "--no-fund", "tiny", cwd=place, env=env,
                   timeout=120, check=False)


@pytest.mark.parametrize("which", ["good", "bypassed"])
def test_a_package_is_installed(street, tmp_path, which):
    need("npm", "node")
    done = install(street, which, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "node_modules/tiny/index.js").read_text() == "module.exports = 42;\n"


def test_nothing_is_installed_from_an_untrusted_registry(street, tmp_path):
    need("npm", "node")
    done = install(street, "untrusted", tmp_path)
    assert done.returncode != 0 and not (tmp_path / "node_modules/tiny").exists()
