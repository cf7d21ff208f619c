# SPDX-License-Identifier: Apache-2.0
"""git clone over https, against the real git http-backend."""

import os
import subprocess

import pytest

import lab
from conftest import need

WHO = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@good.example",
       "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@good.example"}


def make_repository(folder):
    work = folder / "work"
    work.mkdir()
    env = {**os.environ, **WHO, "HOME": str(folder)}
    (work / "file").write_bytes(os.urandom(200_000))
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run(["git", *command], cwd=work, env=env, check=True, timeout=30)
    subprocess.run(["git", "clone", "-q", "--bare", work, folder / "bare.git"], env=env, check=True,
                   timeout=30)
    return work / "file"


def http_backend(folder):
    """A route that runs git's own CGI program."""

    def answer(handler):
        path, _, query = handler.path.partition("?")
        env = {**os.environ, "GIT_PROJECT_ROOT": str(folder), "GIT_HTTP_EXPORT_ALL": "1",
               "PATH_INFO": path.removeprefix("/git"), "QUERY_STRING": query,
               "REQUEST_METHOD": handler.command, "REMOTE_ADDR": "127.0.0.1",
               "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
               "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
               "GIT_PROTOCOL": handler.headers.get("Git-Protocol", ""),
               "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory",
               "GIT_CONFIG_VALUE_0": "*"}
        body = getattr(handler, "body", b"")
        env["CONTENT_LENGTH"] = str(len(body))
        out = subprocess.run(["git", "http-backend"], input=body, env=env, timeout=30,
                             stdout=subprocess.PIPE).stdout
        head, _, payload = out.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(fields.pop("Status", "200").split()[0])
        kind = fields.pop("Content-Type", "application/octet-stream")
        handler.answer(payload, kind, status)

    return answer


@pytest.mark.parametrize("which", ["good", "bypassed"])
def test_a_clone_brings_every_octet(street, tmp_path, which):
    need("git")
    wanted = make_repository(tmp_path)
    street.route(which, "git", http_backend(tmp_path))
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "https_proxy": street.gateway.url,
           "GIT_SSL_CAINFO": str(street.trust(which)), "GIT_TERMINAL_PROMPT": "0"}
    lab.run("git", "clone", "-q", street.url(which, "/git/bare.git"), tmp_path / "clone", env=env)
    assert (tmp_path / "clone" / "file").read_bytes() == wanted.read_bytes()


def test_a_clone_from_an_untrusted_origin_is_refused(street, tmp_path):
    need("git")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "https_proxy": street.gateway.url,
           "GIT_SSL_CAINFO": str(street.gateway.root), "GIT_TERMINAL_PROMPT": "0"}
    done = lab.run("git", "clone", "-q", street.url("untrusted", "/git/bare.git"),
                   tmp_path / "clone", env=env, check=False)
    assert done.returncode != 0 and not (tmp_path / "clone").exists()
