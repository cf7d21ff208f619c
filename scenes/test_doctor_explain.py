# SPDX-License-Identifier: Apache-2.0
"""The doctor reads what tools print: real ones, failing here and now, and pasted texts."""

import json
import os
import subprocess

import lab
import pytest
from conftest import need


def explain(program, text, *more):
    done = subprocess.run([program, "doctor", "explain", "--json", *more, "-"], input=text,
                          capture_output=True, timeout=60, text=True)
    assert done.returncode in (1, 3), done.stderr
    answer = json.loads(done.stdout)
    assert (done.returncode == 3) == answer["hidden"]
    return answer


def test_an_answer_has_client_class_hidden_cause_and_fix(program):
    answer = explain(program, "npm error code SELF_SIGNED_CERT_IN_CHAIN", "--client", "npm")
    assert answer["client"] == "npm" and answer["class"] == "self-signed-in-chain"
    assert answer["hidden"] is False and "gateway" in answer["cause"]
    assert "NODE_USE_SYSTEM_CA=1" in answer["fix"] and "strict-ssl" not in answer["fix"]


def test_what_the_text_hides_is_admitted_and_the_way_to_find_it_named(program):
    text = "fatal: unable to access 'https://a.example/': server certificate verification failed."
    done = lab.run(program, "doctor", "explain", text, "--lang", "en", check=False)
    assert done.returncode == 3 and "does not tell" in done.stdout
    assert "sekisho doctor look a.example" in done.stdout


def test_the_words_themselves_may_be_given(program):
    done = lab.run(program, "doctor", "explain", "SELF_SIGNED_CERT_IN_CHAIN", check=False)
    assert done.returncode == 1 and "self-signed-in-chain" in done.stdout


def test_a_file_is_read_and_a_long_one_from_its_end(program, tmp_path):
    log = tmp_path / "build.log"
    log.write_text("all is well\n" * 300000 + "javax.net.ssl.SSLHandshakeException: "
                   "PKIX path building failed: unable to find valid\ncertification path\n")
    done = lab.run(program, "doctor", "explain", "--json", log, check=False)
    answer = json.loads(done.stdout)
    assert (answer["client"], answer["class"]) == ("java", "unknown-issuer")


def test_it_answers_in_japanese(program):
    done = lab.run(program, "doctor", "explain", "CERT_HAS_EXPIRED", "--lang", "ja", check=False)
    assert "有効期限" in done.stdout and "対処" in done.stdout
    done = lab.run(program, "doctor", "explain", "x", "--lang", "tlh", check=False)
    assert done.returncode == 2


def test_a_file_that_is_not_there_is_a_text(program):
    done = lab.run(program, "doctor", "explain", "/no/such/file", check=False)
    assert done.returncode == 3 and "Nothing here" in done.stdout


@pytest.mark.parametrize("tool,command", [
    ("curl", ["curl", "-sS", "URL"]),
    ("wget", ["wget", "-O", "/dev/null", "URL"]),
    ("openssl", ["openssl", "s_client", "-verify_return_error", "-proxy", "PROXY", "-connect", "HOST"]),
    ("python", ["python3", "-c", "import urllib.request as u; u.urlopen('URL')"]),
    ("git", ["git", "ls-remote", "URL"]),
])
def test_a_real_tool_that_meets_an_unknown_ca_is_understood(program, street, tool, command):
    need(command[0])
    url, proxy = street.url("good"), street.gateway.url
    fill = {"URL": url, "PROXY": proxy.removeprefix("http://"), "HOST": url.split("/")[2]}
    command = [fill.get(word, word.replace("URL", url)) for word in command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                          env={"PATH": os.environ["PATH"], "https_proxy": proxy})
    assert done.returncode != 0
    answer = explain(program, done.stderr + done.stdout)
    assert answer["tool"] == tool
    assert answer["hidden"] or answer["class"] in ("unknown-issuer", "self-signed-in-chain",
                                                   "missing-intermediate")
