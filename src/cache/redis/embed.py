#!/usr/bin/env python3
"""embed.py OUT NAME=FILE... - writes OUT, a C file that defines sdi_redis_NAME as the text of FILE, without comments and
indentation. As numbers: C promises room for a string of 4095 bytes, and no more."""
import sys

out, scripts = sys.argv[1], sys.argv[2:]


def spoken(path: str) -> bytes:
    lines = (line.strip() for line in open(path))
    return "".join(line + "\n" for line in lines if line and not line.startswith("--")).encode()


with open(out, "w") as c:
    c.write('#include "cache/redis/command.h"\n')
    for script in scripts:
        name, path = script.split("=", 1)
        text = spoken(path) + b"\0"
        c.write(f"\nconst char sdi_redis_{name}[] = {{\n")
        for at in range(0, len(text), 20):
            c.write("    " + " ".join(f"{byte}," for byte in text[at : at + 20]) + "\n")
        c.write("};\n")
