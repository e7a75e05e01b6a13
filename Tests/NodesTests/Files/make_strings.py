#!/usr/bin/env python3
"""CPython's results for the string nodes: writes strings.json, rows of {node, inputs, result}."""
import itertools, json, pathlib, re

rows = []


def row(node, result, **inputs):
    rows.append({"node": node, "inputs": inputs, "result": result})


texts = ["", "Hello World", "  two\t spaces\u00a0\n", "they're bill's FRIENDS x2y", "ÄÖÜ straße Ωmega", "e\u0301 combining",
         "日本語 text", "ǆungla"]
for text in texts:
    row("StringLength", len(text), string=text)
    for mode, method in {"UPPERCASE": str.upper, "lowercase": str.lower, "Capitalize": str.capitalize,
                         "Title Case": str.title}.items():
        row("CaseConverter", method(text), string=text, mode=mode)
    for mode, method in {"Both": str.strip, "Left": str.lstrip, "Right": str.rstrip}.items():
        row("StringTrim", method(text), string=text, mode=mode)
for start, end in [(0, 5), (3, -2), (-4, 99), (5, 2), (-99, 3), (6, 6)]:
    row("StringSubstring", "Hello World"[start:end], string="Hello World", start=start, end=end)
row("StringSubstring", "e\u0301x"[1:3], string="e\u0301x", start=1, end=3)
for find, replace in [("l", "L"), ("", "-"), ("xyz", "q"), ("World", ""), ("ll", "l")]:
    row("StringReplace", "Hello World".replace(find, replace), string="Hello World", find=find, replace=replace)
for part, sensitive in itertools.product(["world", "World", "", "Hello World!"], [True, False]):
    a, b = ("Hello World", part) if sensitive else ("hello world", part.lower())
    row("StringContains", b in a, string="Hello World", substring=part, case_sensitive=sensitive)
    for mode, test in {"Equal": a == b, "Starts With": a.startswith(b), "Ends With": a.endswith(b)}.items():
        row("StringCompare", test, string_a="Hello World", string_b=part, mode=mode, case_sensitive=sensitive)

source = "The cat, a Hat\nand 12 bats; 345 cats"
patterns = [r"\b(\w)at(s)?\b", r"cat", r"^and (\d+)", r"\d+", r"zzz", r"(?P<word>hat)$", r"a.and", r"(x)|(\d)"]
# Where engines differ without a word.
patterns += [
    r"(?<=a)t", r"(?<!c)at", r"(a)?(?(1)t|n)", r"s\Z", r"[[:digit:]]+", r"[]a-c[]+", r"\d{,2}", r"a{2", r"x*", r"\b|a",
    r"[\v\n]", r"\u0061t", r"(?P<l>[ah])(?P=l)?t", r"(?i:HAT)", r"(?x) c a t # a cat", r"[^\W\d_]+", r"a{,}t", r"$", r"(?m)^\w+",
    r"(?s)a.a", r"(|a)+", r"(a|b)*?t", r"\D\S\s", r"[&&a~~]+", r"(?=(c))", r"(\w)(?!\w)",
]
for pattern in patterns:
    for ignore, multi, dot in [(True, False, False), (False, True, True)]:
        flags = (re.IGNORECASE if ignore else 0) | (re.MULTILINE if multi else 0) | (re.DOTALL if dot else 0)
        named = dict(string=source, regex_pattern=pattern, case_insensitive=ignore, multiline=multi, dotall=dot)
        found = re.search(pattern, source, flags)
        row("RegexMatch", found is not None, **named)
        row("RegexExtract", found.group(0) if found else "", mode="First Match", group_index=1, **named)
        every = re.findall(pattern, source, flags)
        row("RegexExtract", "\n".join(m[0] if isinstance(m, tuple) else m for m in every), mode="All Matches",
            group_index=1, **named)
        for index in (1, 2):
            first = found.group(index) or "" if found and len(found.groups()) >= index else ""
            row("RegexExtract", first, mode="First Group", group_index=index, **named)
            groups = [m.group(index) or "" for m in re.finditer(pattern, source, flags) if len(m.groups()) >= index]
            row("RegexExtract", "\n".join(groups), mode="All Groups", group_index=index, **named)
        for replacement, count in [("<\\g<0>>", 0), ("-", 1)]:
            row("RegexReplace", re.sub(pattern, replacement, source, count=count, flags=flags), replace=replacement,
                count=count, **named)

pathlib.Path(__file__).with_name("strings.json").write_text(
    "[\n" + ",\n".join("  " + json.dumps(r) for r in rows) + "\n]\n")
print(len(rows), "rows")
