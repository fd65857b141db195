"""Makes manual pages of the public header, which is the manual: one for each of its sections, and a link for each function.

    manual.py HEADER --names             the files that it makes, one a line
    manual.py HEADER VERSION DIRECTORY   makes them
"""
import os
import re
import sys
import textwrap

PREAMBLE = "shopdata"  # the page of what stands before the first section
SECTION = re.compile(r"^/\* -+ (.+) \*/$", re.M)
PIECE = re.compile(r"/\*(?P<comment>.*?)\*/\n|(?P<code>[^\n]+\n)|\n", re.S)
FUNCTION = re.compile(r"\b(shopdata_\w+)\(")


class Section:
    """A title, and pairs of what is said and what is declared behind it."""

    def __init__(self, title, text):
        self.title = title
        self.page = "shopdata_" + re.sub(r"\W+", "_", title) if title else PREAMBLE
        self.pairs = list(pairs_of(text))

    def functions(self):
        declared = "".join(code for _, code in self.pairs if not code.startswith("#"))
        return [name for name in dict.fromkeys(FUNCTION.findall(declared)) if name != self.page]


def pairs_of(text):
    """The comments of a piece of the header, each with the declarations up to the next one at the margin."""
    comment, code = "", ""
    for piece in PIECE.finditer(text):
        if piece["comment"] is not None and text[piece.start() - 1:piece.start()] in ("", "\n"):
            if comment or code.strip():
                yield comment, code
            comment, code = piece["comment"], ""
        else:
            code += piece[0]
    yield comment, code


def read_sections(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    preamble = re.match(r"/\*.*?\*/\n", text, re.S)
    parts = SECTION.split(text)[1:]
    if not preamble or len(parts) < 10:
        sys.exit(f"{path}: not the form that manual.py knows: a comment, then sections `/* ---- title */`")
    return [Section("", preamble[0])] + [Section(*pair) for pair in zip(parts[::2], parts[1::2])]


def escape(line):
    line = line.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("'", "\\(aq")
    return "\\&" + line if line.startswith(".") else line


def prose(comment):
    """A comment without its frame; a line that is set in, `  Word   text`, begins an item."""
    for paragraph in re.split(r"\n \*\n", comment.strip()):
        yield ".PP"
        for line in paragraph.split("\n"):
            line = re.sub(r"^ \* ?", "", line)
            item = re.match(r"  (\w+) {2,}(.*)", line)
            yield from [".TP", ".B " + escape(item[1]), escape(item[2])] if item else [escape(line.strip())]


def wrap(prototype):
    return textwrap.wrap(prototype, 72, subsequent_indent=" " * 8)


def declarations(code):
    """C as a reader wants it: without what is for the compiler, and of inline functions only the head."""
    code = re.sub(r"^#.*\n|^extern .*\n|^}\n(?=\n*#)", "", code, flags=re.M).replace("SHOPDATA_API ", "")
    code = re.sub(r"^(static inline [^\n]*)\n{.*?^}\n", r"\1;\n", code, flags=re.M | re.S).strip("\n")
    if not code:
        return []
    # A prototype fits a terminal once its arguments may go on in the next line.
    joined = re.sub(r"\([^()]*\)", lambda arguments: re.sub(r"\s*\n\s+", " ", arguments[0]), code).split("\n")
    lines = [part for line in joined for part in (wrap(line) if line.endswith(");") else [line])]
    return [".PP", ".nf", "\\fB"] + [escape(line) for line in lines] + ["\\fR", ".fi"]


def page_of(section, others, version):
    names = ", ".join(escape(name) for name in [section.page] + section.functions())
    yield f'.TH {section.page.upper()} 3 "" "libshopdata {version}" "libshopdata"'
    yield ".nh"  # names are not to be broken
    yield from [".SH NAME", names + " \\- " + escape(section.title or "cached, replica-aware access to PostgreSQL")]
    yield from [".SH SYNOPSIS", ".B #include <shopdata/shopdata.h>", ".PP"]
    yield "cc ... $(pkg\\-config \\-\\-cflags \\-\\-libs shopdata)"
    yield ".SH DESCRIPTION"
    for comment, code in section.pairs:
        yield from prose(comment)
        yield from declarations(code)
    yield ".SH SEE ALSO"
    yield ",\n".join(f".BR {escape(other.page)} (3)" for other in others if other is not section).replace(",\n", " ,\n")


def write(directory, name, lines):
    with open(os.path.join(directory, name + ".3"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def main():
    sections = read_sections(sys.argv[1])
    if sys.argv[2:] == ["--names"]:
        print("\n".join(name + ".3" for section in sections for name in [section.page] + section.functions()))
        return
    version, directory = sys.argv[2:]
    for section in sections:
        write(directory, section.page, page_of(section, sections, version))
        for function in section.functions():
            write(directory, function, [f".so man3/{section.page}.3"])


if __name__ == "__main__":
    main()
