#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""demo SEKISHO: the main job, on this machine, in a temporary directory.

Makes an authority, four TLS origins on loopback and a name server that knows them; starts
the gateway; shows curl through it being inspected, bypassed, blocked and refused; prints
the log of it all. Then it keeps serving until Ctrl-C; DEMO_ONCE=1 ends it instead, with
exit code 0 only if all four went as told. Nothing outside the directory is touched.
"""

import os
import re
import shutil
import signal
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

import lab  # noqa: E402

BODY = """\
	rule banks   when any(http.request.domains[*] in {"bank.example"}) do bypass
	rule harmful when http.request.host == "www.harmful.example" do block "known to be harmful"
"""

COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(text, code):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def say(text=""):
    print(text, flush=True)


class Demo:
    def __init__(self, program, folder):
        self.folder = folder
        self.failed = 0
        self.passed = 0
        self.origin_root = None
        self.closers = []
        self.program = program

    def start(self):
        pki = lab.Pki(self.folder / "origins", "Demo Origin Root")
        stray = lab.Pki(self.folder / "stray", "Nobody's Root")
        self.origin_root = pki.root
        names = lab.Names()
        self.closers.append(names.close)
        certificates = {
            "www.good.example": pki.issue("www.good.example"),
            "www.bank.example": pki.issue("www.bank.example"),
            "www.harmful.example": pki.issue("www.harmful.example"),
            "www.expired.example": pki.issue("www.expired.example", begins_days=-60, ends_days=-3),
            "www.selfsigned.example": stray.issue("www.selfsigned.example", self_signed=True),
        }
        self.urls = {}
        for name, certificate in certificates.items():
            origin = lab.Origin(certificate, f"This is the real {name}.\n")
            self.closers.append(origin.close)
            self.urls[name] = f"https://{name}:{origin.port}/"
        self.gateway = lab.Gateway(self.program, self.folder / "gateway", names, pki.root, BODY)
        self.closers.append(self.gateway.close)

    def close(self):
        for closer in reversed(self.closers):
            closer()

    def curl(self, host, root):
        """(status, issuer of what curl was shown, body)"""
        bundle = self.folder / "bundle.pem"
        bundle.write_bytes(b"".join(p.read_bytes() for p in root))
        done = lab.run("curl", "-sv", "--max-time", "20", "--noproxy", "", "--proxy",
                       self.gateway.url, "--cacert", bundle, "-w", "\n%{http_code}",
                       self.urls[host], check=False)
        issuer = re.search(r"^\*\s+issuer: (.*)$", done.stderr, re.M)
        body, _, status = done.stdout.rpartition("\n")
        return int(status or 0), issuer.group(1) if issuer else "(none)", body

    def show(self, title, host, why, root, expect):
        say(f"\n{paint(title, 1)}: curl --proxy {self.gateway.url} {self.urls[host]}")
        say(f"  {why}")
        status, issuer, body = self.curl(host, root)
        text = re.sub(r"\s+", " ", re.sub(r"(?s)<(style|script|title).*?</\1>|<[^>]*>", " ", body)).strip()
        say(f"  certificate issued by: {issuer}")
        say(f"  answer {status}: {text[:160]}{'…' if len(text) > 160 else ''}")
        good = expect(status, issuer, text)
        self.passed += good
        self.failed += not good
        say("  " + (paint("as it should be", 32) if good else paint("NOT as it should be", 31)))

    def play(self):
        ours, theirs = [self.gateway.root], [self.origin_root]
        is_ours = re.search(r"CN ?= ?([^;,\n]*)", lab.run(
            "openssl", "x509", "-in", self.folder / "gateway/ca/node.crt", "-noout", "-subject").stdout)
        node = is_ours.group(1).strip() if is_ours else "sekisho"
        self.show("Inspected", "www.good.example",
                  "We look in: curl trusts only our authority, and is shown a leaf of it.",
                  ours, lambda s, i, t: s == 200 and node in i and "the real" in t)
        self.show("Bypassed", "www.bank.example",
                  "A rule leaves the bank alone: curl sees the bank's own certificate.",
                  theirs, lambda s, i, t: s == 200 and "Demo Origin Root" in i and "the real" in t)
        self.show("Blocked", "www.harmful.example",
                  "A rule refuses it; a page says which.",
                  ours, lambda s, i, t: s == 403 and "known to be harmful" in t)
        self.show("Refused", "www.expired.example",
                  "The origin's certificate has expired: no request goes there.",
                  ours, lambda s, i, t: s == 502 and "the real" not in t)
        self.show("Refused", "www.selfsigned.example",
                  "This one vouches for itself.",
                  ours, lambda s, i, t: s == 502 and "the real" not in t)

    def table(self):
        store = self.folder / "gateway/data/events.db"
        say(f"\n{paint('The log', 1)}: sekisho log --store {store}")
        self.gateway.wait_event(host="www.selfsigned.example")

        def whole_log():
            done = self.gateway.command("log", "--store", store, check=False)
            return done if all(host in done.stdout for host in self.urls) else None

        try:
            done = lab.wait_for("the log", whole_log, 10)  # written in batches
            say(done.stdout)
        except TimeoutError:
            done = None
        seen = done is not None
        self.passed += seen
        self.failed += not seen
        if not seen:
            say(paint("the log does not show all of them", 31))

    def keep_serving(self):
        say(f"The gateway serves on {self.gateway.url} until Ctrl-C. In another terminal:\n")
        say(f"  curl --proxy {self.gateway.url} --cacert {self.gateway.root} "
            f"{self.urls['www.good.example']}")
        say(f"  {self.program} log -f --store {self.folder}/gateway/data/events.db\n")
        while True:
            signal.pause()


def main():
    if len(sys.argv) != 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit("usage: demo.py SEKISHO")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="sekisho-demo-"))
    folder.chmod(0o755)
    demo = Demo(Path(sys.argv[1]).resolve(), folder)
    try:
        say(f"In {folder}: an authority, five origins, a name server, the gateway.")
        demo.start()
        demo.play()
        demo.table()
        if not os.environ.get("DEMO_ONCE"):
            demo.keep_serving()
    except (KeyboardInterrupt, SystemExit):
        say("\nending")
    except Exception:
        log = folder / "gateway" / "gateway.log"
        if log.exists():
            say(f"--- the gateway said:\n{log.read_text(errors='replace')[-4000:]}")
        raise
    finally:
        demo.close()
        shutil.rmtree(folder, ignore_errors=True)
    say(f"{demo.passed} passed, {demo.failed} failed")
    return 1 if demo.failed else 0


if __name__ == "__main__":
    sys.exit(main())
