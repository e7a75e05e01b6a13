#!/usr/bin/env python3
"""Writes the compact node tables of Sources/Workflow/Reference from the project's specification folder.

    Scripts/make-node-tables.py SPEC-FOLDER

Reads object_info.json (what the reference's nodes take and give) and node-inventory.md (which pack a node type comes
from). Only facts that conversion needs are kept: names, order, types, defaults and a few flags; no texts, no limits, no
lists of choices. The format is described in ReferenceNodes.swift and PackNames.swift.
"""

import json
import os
import re
import sys

HEADER = "// Made by Scripts/make-node-tables.py; do not edit.\n\n"
WIDTH = 120
TYPES = {"INT": "I", "FLOAT": "F", "STRING": "S", "BOOLEAN": "B", "COMBO": "C"}
EMPTY = {"INT": 0, "FLOAT": 0, "STRING": "", "BOOLEAN": False}
FLAGS = [("control_after_generate", "c"), ("dynamicPrompts", "d"), ("forceInput", "f"), ("image_upload", "u"),
         ("audio_upload", "u"), ("video_upload", "u"), ("file_upload", "u")]
# Combos whose choices are files of the machine the list was made on.
FILE_COMBOS = {"vae_name"}


def rule(name, spec):
    """The part of an input's entry behind its name."""
    kind = spec[0]
    options = spec[1] if len(spec) > 1 else {}
    choices = kind if isinstance(kind, list) else options.get("options")
    kind = "COMBO" if isinstance(kind, list) else kind
    default = options.get("default")
    if kind == "COMBO" and default is None and choices and name not in FILE_COMBOS:
        default = choices[0]
    text = ":" + TYPES.get(kind, kind)
    if default is not None and not isinstance(default, (dict, list)) and kind in TYPES and default != EMPTY.get(kind):
        text += "=" + (default if isinstance(default, str) else json.dumps(default))
    flags = "".join(sorted({letter for option, letter in FLAGS if options.get(option) is True}))
    return text + ("!" + flags if flags else "")


def folded(names):
    """["a.0", "a.1", "a.2", "b"] as "a.{0-2},b"."""
    parts, i = [], 0
    while i < len(names):
        best = None
        for match in re.finditer(r"\d+", names[i]):
            head, number, tail = names[i][: match.start()], int(match.group()), names[i][match.end():]
            j = i
            while j < len(names) and names[j] == f"{head}{number + j - i}{tail}":
                j += 1
            if j - i > 2 and (best is None or j > best[0]):
                best = (j, f"{head}{{{number}-{number + j - i - 1}}}{tail}")
        parts.append(best[1] if best else names[i])
        i = best[0] if best else i + 1
    return ",".join(parts)


def node_line(node):
    groups = []
    for group in ("required", "optional"):
        for name, spec in node["input"].get(group, {}).items():
            key = ("?" if group == "optional" else "", rule(name, spec))
            if groups and groups[-1][0] == key:
                groups[-1][1].append(name)
            else:
                groups.append((key, [name]))
    inputs = "|".join(mark + folded(names) + text for (mark, text), names in groups)
    outputs = ",".join(node["output"])
    line = f"{node['name']};{outputs};{inputs}" + (";o" if node.get("output_node") else "")
    assert "\\" not in line and '"' not in line and "\n" not in line, line
    return line


def literal(lines):
    """The lines of a Swift text literal, wrapped."""
    out = []
    for line in lines:
        rest = line
        while len(rest) > WIDTH - 8:
            out.append("        " + rest[: WIDTH - 9] + "\\")
            rest = rest[WIDTH - 9:]
        out.append("        " + rest)
    return "\n".join(out)


def node_table(folder):
    with open(os.path.join(folder, "object_info.json"), encoding="utf-8") as file:
        nodes = json.load(file)
    lines = [node_line(nodes[name]) for name in sorted(nodes)]
    return (HEADER + "extension ReferenceNodes {\n    /// The nodes of the reference, release 0.3.64.\n"
            + '    static let table = """\n' + literal(lines) + '\n        """\n}\n')


def pack_table(folder):
    packs = {}
    with open(os.path.join(folder, "node-inventory.md"), encoding="utf-8") as file:
        for line in file:
            match = re.match(r"\| \d+ \| `(.+?)` \| ([^|]+?) \|", line)
            if not match:
                continue
            name, pack = match.group(1).replace("\\|", "|"), re.sub(r" \(.*\)$", "", match.group(2))
            if "/" in pack and not pack.startswith("core:"):
                packs.setdefault(pack, set()).add(name)
    lines = [f"{pack};" + ";".join(sorted(packs[pack])) for pack in sorted(packs, key=str.lower)]
    return (HEADER + "extension PackNames {\n    /// The packs of node types met in real workflows.\n"
            + '    static let table = """\n' + literal(lines) + '\n        """\n}\n')


def main():
    folder = sys.argv[1]
    target = os.path.join(os.path.dirname(__file__), "..", "Sources", "Workflow", "Reference")
    os.makedirs(target, exist_ok=True)
    for name, text in (("ReferenceNodes+Table", node_table(folder)), ("PackNames+Table", pack_table(folder))):
        with open(os.path.join(target, name + ".swift"), "w", encoding="utf-8") as file:
            file.write(text)


main()
