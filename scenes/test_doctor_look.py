# SPDX-License-Identifier: Apache-2.0
"""The doctor looks at hosts through gateways: inspected, bypassed, laundered, or a login page."""

import base64
import json
import os
import socket
import subprocess
import threading

import lab
import pytest


def look(program, *arguments, proxy=None, code=None, **environment):
    env = {"PATH": os.environ["PATH"], "LANG": "C", **environment}
    if proxy:
        env["https_proxy"] = proxy
    done = subprocess.run([program, "doctor", "look", *map(str, arguments)], env=env, timeout=60,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert "Sanitizer" not in done.stderr, done.stderr
    if code is not None:
        assert done.returncode == code, done.stdout + done.stderr
    return done


def look_json(program, *arguments, **more):
    answer = json.loads(look(program, "--json", *arguments, **more).stdout)
    return {host["host"]: host for host in answer["hosts"]}, answer


@pytest.fixture(scope="module")
def second(pki):
    """One more inspected owner, unrelated to the street's."""
    origin = lab.Origin(pki.issue("www.other.example"), "other\n")
    yield f"www.other.example:{origin.port}"
    origin.close()


@pytest.fixture
def both(street, tmp_path):
    """The store of a machine whose administrator has installed the gateway's CA."""
    path = tmp_path / "store.pem"
    path.write_bytes(street.pki.root.read_bytes() + street.gateway.root.read_bytes())
    return path


def place(street, which):
    return f"{street.hosts[which]}:{street.origins[which].port}"


def test_an_inspected_host_and_a_bypassed_one_are_told_apart(program, street, second, both):
    hosts, answer = look_json(program, place(street, "good"), second, place(street, "bypassed"),
                              "--store", both, "--public", street.pki.root,
                              proxy=street.gateway.url, code=1)
    good, private = hosts["www.good.example"], hosts["www.private.example"]
    assert good["state"] == "inspected" and good["trusted_here"] and not good["public_root"]
    assert good["same_issuer_as"] == "www.other.example"
    assert private["state"] == "bypassed" and private["public_root"]
    assert (answer["inspected"], answer["bypassed"]) == (2, 1)
    assert good["root"] != private["root"] and not good["sct"]


def test_a_ca_that_is_not_installed_is_named_with_its_fingerprint(program, street, second):
    done = look(program, place(street, "good"), second, "--store", street.pki.root,
                proxy=street.gateway.url, code=1)
    assert "inspected, and the CA is not installed here" in done.stdout
    assert "issuer" in done.stdout and "unrelated" in done.stdout


def test_one_host_alone_proves_nothing(program, pki, street):
    origin = lab.Origin(pki.issue("localhost"), "x")
    hosts, _ = look_json(program, f"localhost:{origin.port}", "--store", pki.root, code=1)
    assert hosts["localhost"]["state"] == "private"
    hosts, _ = look_json(program, f"localhost:{origin.port}", "--store", street.gateway.root, code=1)
    assert hosts["localhost"]["state"] == "unknown-root"
    origin.close()


def test_a_public_host_without_a_gateway_is_good(program, pki):
    origin = lab.Origin(pki.issue("localhost"), "x")
    done = look(program, f"localhost:{origin.port}", "--store", pki.root, "--public", pki.root, code=0)
    assert "not inspected" in done.stdout
    origin.close()


def test_a_bad_host_that_the_gateway_refuses_is_right(program, street, second, both):
    hosts, _ = look_json(program, place(street, "good"), second, "--bad", place(street, "untrusted"),
                         "--store", both, "--public", street.pki.root, proxy=street.gateway.url)
    assert hosts["www.untrusted.example"]["state"] in ("bad-refused", "bad-shown")


def test_a_gateway_that_launders_is_told(program, street, second, pki, open_gateway, tmp_path):
    gateway = open_gateway("\tuntrusted block { self-signed allow }")
    store = tmp_path / "store.pem"
    store.write_bytes(pki.root.read_bytes() + gateway.root.read_bytes())
    hosts, _ = look_json(program, place(street, "good"), second, "--bad", place(street, "untrusted"),
                         "--store", store, "--public", pki.root, proxy=gateway.url, code=1)
    assert hosts["www.untrusted.example"]["state"] == "laundered"


def test_the_way_around_the_proxy_is_compared(program, street, pki, both):
    origin = lab.Origin(pki.issue("localhost"), "x")
    hosts, _ = look_json(program, f"localhost:{origin.port}", "--direct", "--store", both, "--public",
                         pki.root, proxy=street.gateway.url)
    assert hosts["localhost"]["direct"]["state"] == "not-inspected"
    origin.close()


class Clear:
    """Answers every connection in clear text, whatever it says."""

    def __init__(self, text):
        self.heard = []
        self.text = text
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            with client:
                self.heard.append(client.recv(65536))
                client.sendall(self.text.encode())

    def close(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()


def test_a_login_page_is_not_inspection(program, pki):
    page = Clear("HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n\r\n")
    hosts, _ = look_json(program, f"localhost:{page.port}", "--store", pki.root, code=1)
    assert (hosts["localhost"]["state"], hosts["localhost"]["status"]) == ("captive", 302)
    page.close()


def test_one_certificate_for_everybody_is_a_login_page(program, pki):
    origin = lab.Origin(pki.issue("login.example"), "x")
    hosts, _ = look_json(program, f"localhost:{origin.port}", f"127.0.0.1:{origin.port}", "--store",
                         pki.root, code=1)
    assert {host["state"] for host in hosts.values()} == {"captive"}
    origin.close()


def test_a_proxy_that_refuses_is_told_and_gets_its_credentials(program, pki):
    proxy = Clear("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    hosts, _ = look_json(program, "www.good.example", "--store", pki.root, code=1,
                         proxy=f"http://me:s%40cret@127.0.0.1:{proxy.port}")
    host = hosts["www.good.example"]
    assert (host["state"], host["status"]) == ("proxy-refused", 403)
    assert host["proxy"] == f"http://***@127.0.0.1:{proxy.port}"
    assert base64.b64encode(b"me:s@cret") in proxy.heard[0]
    assert proxy.heard[0].startswith(b"CONNECT www.good.example:443 HTTP/1.1\r\n")
    proxy.close()


def test_no_proxy_is_honoured(program, pki):
    origin = lab.Origin(pki.issue("localhost"), "x")
    hosts, _ = look_json(program, f"localhost:{origin.port}", "--store", pki.root, "--public", pki.root,
                         proxy="http://127.0.0.1:1", no_proxy="localhost", code=0)
    assert hosts["localhost"]["proxy"] is None
    origin.close()


def test_what_cannot_be_reached_is_not_judged(program, pki):
    done = look(program, f"localhost:{lab.free_port()}", "--store", pki.root, code=3)
    assert "could not be reached" in done.stdout
    assert look(program, "no host!", "--store", pki.root).returncode == 2


def test_the_products_name_is_read_from_the_chain(program, tmp_path):
    ca = lab.Pki(tmp_path / "mitm", "mitmproxy")
    origin = lab.Origin(ca.issue("localhost"), "x")
    hosts, _ = look_json(program, f"localhost:{origin.port}", code=1)
    assert hosts["localhost"]["product"] == "mitmproxy"
    assert hosts["localhost"]["state"] == "inspected-untrusted"
    done = look(program, f"localhost:{origin.port}", "--lang", "ja")
    assert "検査されています" in done.stdout and "mitmproxy" in done.stdout
    origin.close()


def test_explain_asks_the_host_where_the_text_hides_the_reason(program, pki):
    origin = lab.Origin(pki.issue("localhost", begins_days=-9, ends_days=-2), "x")
    text = f"fatal: unable to access 'https://localhost:{origin.port}/': server certificate verification failed."
    done = subprocess.run([program, "doctor", "explain", text, "--json", "--store", pki.root,
                           "--probe", f"localhost:{origin.port}"], capture_output=True, text=True,
                          timeout=60, env={"PATH": os.environ["PATH"]})
    answer = json.loads(done.stdout)
    assert (answer["class"], answer["hidden"], done.returncode) == ("expired", False, 1)
    assert answer["client"] == "git" and answer["probe"]["verdict"] == "expired"
    origin.close()


def test_a_report_tells_much_and_no_secret(program, pki, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / ".npmrc").write_text(f"cafile={home}/ca.pem\n//r.example/:_authToken=npm_s3cret\n"
                                 "strict-ssl=false\n")
    log = tmp_path / "npm.log"
    log.write_text("npm error code SELF_SIGNED_CERT_IN_CHAIN\n")
    origin = lab.Origin(pki.issue("localhost"), "x")
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C", "no_proxy": "localhost",
           "HTTPS_PROXY": "http://me:s3cret@proxy.example:3128"}
    command = [program, "doctor", "report", f"localhost:{origin.port}", "--store", pki.root, "--public",
               pki.root, "--from", log]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stderr
    assert "s3cret" not in done.stdout and str(home) not in done.stdout
    assert "http://***@proxy.example:3128" in done.stdout and "not inspected" in done.stdout
    assert "self-signed-in-chain" in done.stdout and "~" in done.stdout
    done = subprocess.run([*command, "--json"], env=env, capture_output=True, text=True, timeout=120)
    answer = json.loads(done.stdout)
    assert {"machine", "proxy", "roots", "tools", "hosts", "findings"} <= set(answer)
    assert answer["count"] >= 1 and "s3cret" not in done.stdout
    origin.close()


def test_the_doctor_alone_looks_the_machine_over(program, tmp_path):
    (tmp_path / ".curlrc").write_text("insecure\n")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C"}
    done = subprocess.run([program, "doctor"], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stderr
    assert "unsafe" in done.stdout and "findings." in done.stdout
    assert len(done.stdout.splitlines()) < 40
