#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the public HTTP cache tests (cache-tests.fyi) against an edge with a cache.

    npm install --legacy-bundling http-cache-tests      # or a checkout of the suite, with `npm install` in it
    bench/cache_tests.py node_modules/http-cache-tests

What the suite calls required and an edge does otherwise is listed in KNOWN, with the reason; anything else that fails is
printed and makes the exit code 1. What it calls optimal or only checks is counted.
"""

import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import lab  # noqa: E402

CONFIG = """\
workers 2
user {user}
data {folder}/data
listen 127.0.0.1:{port} as edge use shop
edge shop {{
	site localhost {{
		certificate {pair[0]} key {pair[1]}
		origin http://127.0.0.1:{origin}
		cache on {{ {more} }}
	}}
}}
"""
# required by the suite (or by an older release of it), and why it is otherwise here
KNOWN = {
    r"age-parse-(nonnumeric|negative|float|prefix-twoline|dup-.*)":
        "RFC 9111 §5.1 ignores an Age that is none and takes the first of several; releases before it wanted both stale",
    r"stale-close-.*": "502 is right: nothing stale may be used. Older releases take a page of ours for a stored answer",
    r"304-etag-update-response-ETag": "RFC 9111 §4.3.4: such a 304 is not used, the origin is asked again",
    r"headers-store-Transfer-Encoding": "a coding nobody knows is refused, not passed on",
    r"(headers-store|304-etag-update-response)-Set-Cookie": "private unless `cookies` is said",
}
LIST = """
const { default: tests } = await import(process.argv[1] + '/tests/index.mjs')
const out = {}
for (const suite of tests) for (const test of suite.tests) if (!test.browser_only) out[test.id] = test
console.log(JSON.stringify(out))
"""


def run_suite(suite, folder, more):
    pki = lab.Pki(folder / "pki")
    port, origin = lab.free_port(), lab.free_port()
    (folder / "data").mkdir()
    user = os.environ.get("USER", "nobody")
    if os.getuid() == 0:
        user = "nobody"
        shutil.chown(folder / "data", user)
    (folder / "edge.conf").write_text(CONFIG.format(user=user, folder=folder, port=port, origin=origin, more=more,
                                                    pair=pki.issue("localhost")))
    words = {"npm_config_port": str(origin), "npm_config_protocol": "http", "npm_config_pidfile": str(folder / "pid"),
             "npm_config_base": f"https://localhost:{port}", "npm_config_id": "", "npm_package_config_id": "",
             "NODE_EXTRA_CA_CERTS": str(pki.root)}
    environment = {**os.environ, **words}
    log = folder / "edge.log"
    server = subprocess.Popen(["node", "--no-warnings", "server/server.mjs"], cwd=suite, env=environment,
                              stdout=subprocess.DEVNULL)
    program = os.environ.get("SEKISHO", ROOT / "build" / "sekisho")
    edge = lab.Program([program, "run", folder / "edge.conf"], lambda: "generation.serves" in log.read_text(), log)
    try:
        lab.wait_for("the suite's server", lambda: lab.accepts(origin) or lab.accepts(origin, "::1"))
        done = subprocess.run(["node", "--no-warnings", "cli.mjs"], cwd=suite, env=environment, capture_output=True,
                              text=True, timeout=600, check=True)
        return json.loads(done.stdout)
    finally:
        edge.close()
        server.terminate()
        server.wait()


def main(arguments):
    if len(arguments) not in (1, 2):
        sys.exit(__doc__)
    suite = Path(arguments[0]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        results = run_suite(suite, Path(folder), arguments[1] if len(arguments) == 2 else "")
    listed = subprocess.run(["node", "--no-warnings", "--input-type=module", "-e", LIST, str(suite)],
                            capture_output=True, text=True, check=True)
    counts, surprises = collections.Counter(), 0
    for name, test in json.loads(listed.stdout).items():
        kind, result = test.get("kind", "required"), results.get(name)
        counts[kind, result is True] += 1
        if result is True or kind != "required":
            continue
        why = next((why for pattern, why in KNOWN.items() if re.fullmatch(pattern, name)), None)
        surprises += why is None
        print(f"{name}: {why or 'NOT KNOWN: ' + str(result)}")
    for kind in ("required", "optimal", "check"):
        print(f"{kind}: {counts[kind, True]} of {counts[kind, True] + counts[kind, False]}")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
