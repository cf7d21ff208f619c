# SPDX-License-Identifier: Apache-2.0
"""Rules brought from elsewhere: what becomes of each is said, and the result loads."""

import json
from pathlib import Path

import lab
import pytest

EXPORT = Path(__file__).resolve().parent / "exports" / "gateway-rules.json"

# What must become of the rules of the export, by name; all others are carried over.
REFUSED = {
    "Isolate unknown sites": "no browser isolation",
    "Do not isolate the intranet": "no browser isolation",
    "Approved applications only": "app.statuses is not filled",
    "No executables": "http.download.file.types is not filled",
    "No large uploads": "http.upload.file.size is not filled",
    "Personal data": "dlp.profiles is not filled",
    "Finance may upload": "identity.groups.name is not filled",
    "Managed devices only": "device_posture.checks.passed is not filled",
    "Quarantine new files": "no sandbox",
    "Contractors until spring": "identity.email is not filled",
    "SSH to listed hosts": "identity.groups.name is not filled",
    "Audit SSH": "SSH is not inspected",
    "Egress by office": "egress addresses are not chosen",
    "DNS: block malware": "dns.security_category is not filled",
    "DNS: safe search": "safe search is not forced",
    "DNS: internal resolver": "resolvers are not chosen",
}
CHANGED = {
    "Sanctioned countries": "its block page is elsewhere: a redirect",
    "Lunch break": "its schedule is left out",
    "Tenant restriction: files": "is decided although this one lets pass, in phase request",
    "Tenant restriction: videos": "is decided although this one lets pass",
    "Old portal to new portal": "is decided before it, in phase hello",
    "API clients": "is decided before it, in phase hello",
    "Self-signed at the partner": "is decided although this one lets pass",
    "Private networks": "is decided before it, in phase hello",
}


@pytest.fixture
def home(program, tmp_path):
    lab.run(program, "ca", "init", tmp_path / "ca")
    (tmp_path / "lists").mkdir()
    return tmp_path


def bring(program, home, product, source):
    """Imports, and checks what came of it: (policy, report)."""
    answer = lab.run(Path(program).resolve(), "import", product, source, "--make-lists", "--authority",
                     home / "ca", cwd=home)
    (home / "policy.conf").write_text(answer.stdout)
    checked = lab.run(program, "check", home / "policy.conf", check=False)
    assert checked.returncode == 0, checked.stderr
    return answer.stdout, answer.stderr


def fates(report, names):
    """name -> the line of the report about it."""
    lines = report.splitlines()
    return {name: next(line for line in lines if line[9:].split(" (disabled)")[0].startswith(name))
            for name in names}


def test_an_export_of_forty_rules_loads_and_each_is_accounted_for(program, home):
    rules = json.loads(EXPORT.read_text())["result"]
    assert len(rules) == 40
    policy, report = bring(program, home, "cloudflare-gateway", EXPORT)
    told = fates(report, [r["name"] for r in rules])
    for name, line in told.items():
        if name in REFUSED:
            assert line.startswith("refused ") and REFUSED[name] in line, line
            assert f"# NOT CARRIED OVER: {name}: " in policy
        elif name in CHANGED:
            assert line.startswith("changed ") and CHANGED[name] in line, line
        else:
            assert line.startswith("carried "), line
    assert report.splitlines()[-1] == "16 carried over, 8 changed, 16 cannot work"
    assert policy.index("rule do-not-inspect-recommended") < policy.index("rule block-malware")
    assert 'do block "Security risk: see \\"helpdesk\\""' in policy
    assert "# disabled: rule trial-block-chat" in policy
    assert len(list((home / "lists").iterdir())) == 6


def test_terraforms_state_of_the_same_rules_gives_the_same_policy(program, home):
    rules = json.loads(EXPORT.read_text())["result"]
    for rule in rules:
        rule["rule_settings"] = [rule["rule_settings"]]  # as Terraform keeps a block
    state = {"version": 4, "terraform_version": "1.9.0", "resources": [
        {"mode": "managed", "type": "cloudflare_zero_trust_list", "name": "banks", "instances": []},
        *({"mode": "managed", "type": "cloudflare_zero_trust_gateway_policy", "name": f"r{i}",
           "instances": [{"schema_version": 0, "attributes": rule}]} for i, rule in enumerate(rules))]}
    (home / "terraform.tfstate").write_text(json.dumps(state))
    policy, report = bring(program, home, "terraform", home / "terraform.tfstate")
    assert policy == bring(program, home, "cloudflare-gateway", EXPORT)[0]
    assert report.splitlines()[-1] == "16 carried over, 8 changed, 16 cannot work"


def test_squids_ssl_bump_lines_become_rules(program, home):
    (home / "squid.conf").write_text("""
http_port 3128 ssl-bump cert=/etc/squid/ca.pem
acl step1 at_step SslBump1
acl banks ssl::server_name .bank.example pay.example
acl banks ssl::server_name .other-bank.example
acl updates dstdomain "lists/updates.txt"
acl guests src 10.20.0.0/255.255.0.0 10.30.0.5-10.30.0.9
acl shops ssl::server_name_regex -i ^shop[0-9]+\\.example$
acl hours time MTWHF 09:00-17:00
ssl_bump peek step1
ssl_bump splice banks
ssl_bump bump guests
ssl_bump splice updates !shops
ssl_bump terminate shops
ssl_bump splice hours
ssl_bump bump all
""")
    policy, report = bring(program, home, "squid", home / "squid.conf")
    assert 'any(http.request.domains[*] in {"bank.example" "other-bank.example"})' in policy
    assert "list updates from lists/updates.txt" in policy
    assert "not ip.src in {10.20.0.0/16 10.30.0.5..10.30.0.9}" in policy
    assert "refused  ssl_bump splice hours: acl hours is of type time" in report
    assert report.splitlines()[-1] == "3 carried over, 0 changed, 1 cannot work"


def test_an_imported_policy_decides(program, home):
    bring(program, home, "cloudflare-gateway", EXPORT)
    tell = lab.run(program, "explain", "-c", home / "policy.conf", "https://old.corp.example/a")
    assert tell.stdout.splitlines()[0].endswith(": redirect")
    tell = lab.run(program, "explain", "-c", home / "policy.conf", "-X", "POST", "https://paste.example/")
    assert tell.stdout.splitlines()[0].endswith(": block")
