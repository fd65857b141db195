"""Checks pages of doc/ against what they speak of.

    check_pages.py generated PAGE PROGRAM NAME   PAGE is what `PROGRAM NAME` prints
    check_pages.py part PAGE PROGRAM             PAGE has what `PROGRAM` prints between the marks "<!-- made -->"
    check_pages.py statuses PAGE HEADER          PAGE has a row for every status of HEADER, with its number
    check_pages.py rules PAGE HEADER MODEL       PAGE has a row for every rule of HEADER (src/base/proving.h), and none that
                                                 is neither there nor in MODEL (tests/model/protocol/rules.pml)
"""
import re
import subprocess
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def check_generated(page, program, name):
    made = subprocess.run([program, name], check=True, capture_output=True, encoding="utf-8").stdout
    if made != read(page):
        return [f"{page}: not what the tables say; run: build/doc/generate {name} > doc/{name}.md"]
    return []


def check_part(page, program):
    made = subprocess.run([program], check=True, capture_output=True, encoding="utf-8").stdout
    parts = read(page).split("<!-- made -->\n")
    if len(parts) != 3:
        return [f"{page}: {len(parts) - 1} marks <!-- made --> instead of two"]
    if parts[1] != made:
        return [f"{page}: not what tests/plans says; put what build/doc/statements prints between the marks"]
    return []


def check_statuses(page, header):
    body = re.search(r"enum shopdata_status \{(.*?)\};", read(header), re.S).group(1)
    statuses = re.findall(r"^\s*(SHOPDATA_\w+) = (-?\d+)", body, re.M)
    if len(statuses) < 10:
        return [f"{header}: only {len(statuses)} statuses found; has the enum changed its form?"]
    rows = set(re.findall(r"^\| `(\w+)` \| (-?\d+) \|", read(page), re.M))
    missing = [f"{page}: no row for {name} ({number})" for name, number in statuses if (name, number) not in rows]
    return missing + [f"{page}: {name} ({number}) is no status" for name, number in sorted(rows - set(statuses))]


def check_rules(page, header, model):
    rules = re.findall(r"^    X\((\w+),", read(header).split("#define SDI_RULES(X)")[1].split("#define")[0], re.M)
    if len(rules) < 10:
        return [f"{header}: only {len(rules)} rules found; has SDI_RULES changed its form?"]
    rows = re.findall(r"^\| `(\w+)` \|", read(page).split("<!-- rules -->")[1], re.M)
    missing = [f"{page}: no row between the marks <!-- rules --> for {name}" for name in rules if name not in rows]
    rules += re.findall(r"^#define RULE_(\w+) \d+", read(model), re.M)
    return missing + [f"{page}: {name} is no rule of {header} or {model}" for name in rows if name not in rules]


def main():
    checks = {"generated": check_generated, "part": check_part, "statuses": check_statuses, "rules": check_rules}
    faults = checks[sys.argv[1]](*sys.argv[2:])
    print("\n".join(faults) or "ok")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
