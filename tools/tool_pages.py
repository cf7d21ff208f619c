# SPDX-License-Identifier: Apache-2.0
"""tool_pages: a page of the manual per tool, and one of all failures, from data/doctor/."""

import re

FOLDER = "data/doctor"


def table(root, name):
    """The rows of a table as dictionaries by column."""
    columns, rows = None, []
    for line in (root / FOLDER / f"{name}.tsv").read_text(encoding="utf-8").split("\n"):
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t")
        if columns is None:
            columns = cells
        else:
            rows.append(dict(zip(columns, cells + [""] * (len(columns) - len(cells)))))
    return rows


def cell(text):
    return re.sub(r"([|<>])", r"\\\1", text.replace("\n", " "))


def code(text):
    if not text:
        return ""
    ticks = "``" if "`" in text else "`"
    return f"{ticks}{text.replace('|', chr(92) + '|')}{ticks}"


def owner(clients, name):
    """The client that a name of another table belongs to, as client_named() decides."""
    best, longest = None, 0
    for row in clients:
        for known in row["names"].split(","):
            rest = name[len(known):]
            if name.lower().startswith(known.lower()) and len(known) > longest and not rest[:1].isalpha():
                best, longest = row, len(known)
    return best


def section(title, head, rows):
    if not rows:
        return []
    return [f"## {title}", "", "| " + " | ".join(head) + " |", "| " + " | ".join(["---"] * len(head)) + " |",
            *("| " + " | ".join(row) + " |" for row in rows), ""]


def give_lines(text):
    text = text.replace("{os}", "add the CA to the store of the system")
    return [f"{i}. {cell(line)}" for i, line in enumerate(text.split(" ;; "), 1)]


class Tables:
    def __init__(self, root):
        for name in ("clients", "classes", "signs", "settings", "unsafe", "tools"):
            setattr(self, name, table(root, name))
        self.errors = table(root, "tls-errors")
        self.trust = table(root, "trust-clients")
        self.managed = {row["name"] for row in self.tools}


def messages(t, client):
    rows = [row for row in t.errors if owner(t.clients, row["client"]) is client
            and not row["class"].startswith("by-")]
    return section("What it prints", ["message", "class", "cause"],
                   [[code(row["match"].removeprefix("re:")), f"[{row['class']}](../failures.md)",
                     cell(row["cause"])] for row in rows])


def mechanisms(t, client):
    rows = [row for row in t.trust if owner(t.clients, row["client"]) is client]
    return section("Where it takes roots from", ["setting", "kind", "effect", "since", "remark"],
                   [[code(row["name"]), row["kind"], cell(row["effect"]), cell(row["since"]), cell(row["note"])]
                    for row in rows])


def settings(t, name):
    rows = [row for row in t.settings if name in row["tools"].split()]
    return section("What the doctor reads and writes", ["setting", "place", "effect", "remark"],
                   [[code(row["key"]), code(row["place"]) or "environment", cell(row["effect"]), cell(row["note"])]
                    for row in rows])


def dangers(t, name):
    rows = [row for row in t.unsafe if name in row["tools"].split()]
    return section("What must not be set", ["setting", "place", "exposes", "instead"],
                   [[code(row["key"]), code(row["place"]) or "environment", cell(row["exposes"]),
                     cell(row["instead"])] for row in rows])


def managed_name(t, client):
    """What the commands call it, or None."""
    return next((name for name in client["names"].split(",") if name in t.managed), None)


def page(t, client):
    name = managed_name(t, client)
    out = [f"# {client['client']}", "", "Behind an inspecting gateway, least invasive way first:", "",
           *give_lines(client["give"]), "",
           "`ORG.pem` is the organisation's CA alone, `BUNDLE.pem` the public CAs and it together.", ""]
    if name:
        out += [f"`sekisho doctor show {name}` tells what counts now, `sekisho doctor apply {name}` does it,",
                f"`sekisho doctor verify {name}` proves it and `sekisho doctor undo {name}` takes it back.", ""]
    if client["check"]:
        out += ["Check:", "", "```", client["check"], "```", ""]
    if client["trap"]:
        out += [f"Mind: {cell(client['trap'])}.", ""]
    out += messages(t, client) + mechanisms(t, client)
    if name:
        out += settings(t, name) + dangers(t, name)
    return "\n".join(out).rstrip() + "\n"


def index(t):
    out = ["# Tools behind inspection", "",
           "One page each: how it gets the organisation's CA, what it prints, what counts.", "",
           "| tool | first way |", "| --- | --- |"]
    for row in sorted(t.clients, key=lambda row: row["client"]):
        first = give_lines(row["give"])[0].removeprefix("1. ")
        out.append(f"| [{row['client']}]({row['client']}.md) | {first} |")
    return "\n".join(out) + "\n"


def failures(t):
    out = ["# Failures of TLS, by class", "",
           "What `sekisho doctor explain` answers with: what happened, why, and what to do.", ""]
    for row in t.classes:
        fix = row["fix_en"].replace("{ca}", "give the program the organisation's CA: [the tool's page](tools/README.md)")
        out += [f"## {row['class']}", "", f"{row['say_en'][0].upper()}{row['say_en'][1:]}.", "",
                cell(row["why_en"]), "", "What to do:", "",
                *(f"- {line}" for line in fix.replace("<", "\\<").split(" ;; ")), ""]
    return "\n".join(out).rstrip() + "\n"


def pages(root):
    """Path below docs/ -> text."""
    t = Tables(root)
    out = {f"tools/{row['client']}.md": page(t, row) for row in t.clients}
    out["tools/README.md"] = index(t)
    out["failures.md"] = failures(t)
    return out
