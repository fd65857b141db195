"""The manual pages and the completions of `shopdata` against the program and against the formatter.

    check_tool.py PROGRAM shopdata.1 shopdata.bash _shopdata shopdata.ini.5
"""
import re
import shutil
import subprocess
import sys

COMMANDS = ("check", "explain", "invalidate", "top")
COMPLETE = """source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _shopdata; printf '%s\\n' "${COMPREPLY[@]}" """


def output(*command):
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def options_of(program):
    """The long options of each command, as its --help lists them."""
    return {command: sorted(set(re.findall(r"--[a-z]+", output(program, command, "--help"))))
            for command in COMMANDS}


def check_manual(page, options):
    """Every command and option has its place; roff writes a hyphen as \\-."""
    text = read(page).replace("\\-", "-")
    faults = [f"{page}: no .SS {command}" for command in COMMANDS if f".SS {command}\n" not in text]
    return faults + [f"{page}: {option} of {command} is not told"
                     for command in COMMANDS for option in options[command] if option not in text]


def complete(completion, *words):
    return sorted(output("bash", "-c", COMPLETE, "bash", completion, "shopdata", *words).split())


def check_bash(completion, options):
    wanted = {("",): sorted(COMMANDS + ("--help", "--version")), ("exp",): ["explain"],
              ("explain", "--policy", ""): ["default"], ("top", "--o"): ["--once"]}
    wanted.update({(command, "--"): sorted(options[command] + ["--help"]) for command in COMMANDS})
    return [f"{completion}: {words} completes to {found}, wanted {right}"
            for words, right in wanted.items() if (found := complete(completion, *words)) != right]


def check_zsh(completion, options):
    text = read(completion)
    return [f"{completion}: {option} of {command} is missing"
            for command in COMMANDS for option in options[command] if f"{option}[" not in text]


def check_formatted(page):
    """What the formatter complains of, at two widths; nothing where there is no groff."""
    if not shutil.which("groff"):
        return []
    faults = []
    for width in ("78n", "120n"):
        done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", f"-rLL={width}", page], capture_output=True,
                              encoding="utf-8", check=False)
        faults += [f"{page}: {line}" for line in done.stderr.splitlines()]
        if done.returncode or len(done.stdout) < 1000:
            faults.append(f"{page}: was not formatted")
    return faults


def main():
    program, manual, bash, zsh, ini = sys.argv[1:]
    options = options_of(program)
    faults = check_manual(manual, options) + check_bash(bash, options) + check_zsh(zsh, options)
    for page in manual, ini:
        faults += check_formatted(page)
    print("\n".join(faults) or "ok")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
