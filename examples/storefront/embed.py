#!/usr/bin/env python3
"""Writes files as C constants, so that the server is one program that needs no folder beside it.

usage: embed.py HEADER SOURCE FILE...
"""

import re
import sys
from pathlib import Path

HEADER = """/* Made by embed.py. */
#ifndef SHOP_ASSETS_H
#define SHOP_ASSETS_H

#include <stddef.h>

struct shop_asset {
    const unsigned char *data;
    size_t length;
};

"""


def name_of(path: Path) -> str:
    return "shop_asset_" + re.sub(r"\W", "_", path.name)


def constant(path: Path) -> str:
    data = path.read_bytes()
    lines = [", ".join(map(str, data[at:at + 24])) for at in range(0, len(data), 24)]
    body = ",\n    ".join(lines)
    return (f"static const unsigned char {name_of(path)}_data[] = {{\n    {body}}};\n"
            f"const struct shop_asset {name_of(path)} = {{{name_of(path)}_data, {len(data)}}};\n")


def main(header: str, source: str, *names: str) -> None:
    paths = [Path(name) for name in names]
    declarations = "".join(f"extern const struct shop_asset {name_of(path)};\n" for path in paths)
    Path(header).write_text(HEADER + declarations + "\n#endif\n")
    Path(source).write_text('#include "assets.h"\n\n' + "\n".join(map(constant, paths)))


if __name__ == "__main__":
    main(*sys.argv[1:])
