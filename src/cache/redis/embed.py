#!/usr/bin/env python3
"""embed.py OUT NAME=FILE... - writes OUT, a C file that defines sdi_redis_NAME as the text of FILE, without comments and
indentation: C promises room for 4095 bytes."""
import sys

out, scripts = sys.argv[1], sys.argv[2:]
with open(out, "w") as c:
    c.write('#include "cache/redis/command.h"\n')
    for script in scripts:
        name, path = script.split("=", 1)
        c.write(f"\nconst char sdi_redis_{name}[] =\n")
        for line in open(path):
            line = line.strip()
            if not line or line.startswith("--"):
                continue
            escaped = line.replace("\\", "\\\\").replace('"', '\\"')
            c.write(f'    "{escaped}\\n"\n')
        c.write("    ;\n")
