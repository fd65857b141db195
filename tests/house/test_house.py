#!/usr/bin/env python3
"""Every check of the house can fail: each is shown a small tree with the fault that it is there to find."""

import io
import shutil
import subprocess
import sys
import tempfile
import unittest
from contextlib import redirect_stdout
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import format as formatting  # noqa: E402
import functions  # noqa: E402
import includes  # noqa: E402
import symbols  # noqa: E402
import words  # noqa: E402


def function(name: str, lines: int) -> str:
    """A function whose braces are `lines` lines apart, both counted."""
    return f"int {name}(int first,\n    int second)\n{{\n" + "    first++;\n" * (lines - 2) + "}\n\n"


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def check(self, module) -> tuple[int, str]:
        output = io.StringIO()
        with redirect_stdout(output):
            code = module.main(["--root", str(self.root)])
        return code, output.getvalue()

    def assert_good(self, module) -> None:
        code, output = self.check(module)
        self.assertEqual(code, 0, output)

    def assert_found(self, module, *reasons: str) -> None:
        code, output = self.check(module)
        self.assertEqual(code, 1, output)
        for reason in reasons:
            self.assertIn(reason, output)

    def test_nothing_to_check_is_a_failure(self):
        for module in includes, functions, words:
            self.assert_found(module, "to check")


class Includes(Tree):
    def test_down_and_own_room_are_good(self):
        self.write("src/fresh/a.c", '#include "fresh/a.h"\n#include "cache/backend.h"\n#include <stdio.h>\n'
                   '#include <shopdata/shopdata.h>\n#include "a.h"\n')
        self.write("src/cache/redis/a.c", '#include "cache/backend.h"\n#include "cache/redis/a.h"\n#include "redis/a.h"\n')
        self.assert_good(includes)

    def test_upward(self):
        self.write("src/base/a.c", 'int x;\n  #  include "model/sql.h"\n')
        self.assert_found(includes, "src/base/a.c:2:", "model is not below base")

    def test_sideways(self):
        self.write("src/cache/a.c", '#include "postgres/pool.h"\n')
        self.assert_found(includes, "postgres is not below cache")

    def test_angle_brackets_do_not_help(self):
        self.write("src/route/a.h", "#include <fresh/keys.h>\n")
        self.assert_found(includes, "fresh is not below route")

    def test_dots(self):
        self.write("src/api/a.c", '#include "../base/map.h"\n')
        self.assert_found(includes, "'..'")

    def test_backends_do_not_know_one_another(self):
        for included in "cache/memory/a.h", "memory/a.h":
            self.write("src/cache/redis/a.c", f'#include "{included}"\n')
            self.assert_found(includes, "backend redis must not know backend memory")

    def test_file_outside_every_room(self):
        self.write("src/util/a.c", "")
        self.assert_found(includes, "not in a room")


class Functions(Tree):
    def write_lengths(self, *lengths: int) -> None:
        self.write("src/base/a.c", "".join(function(f"f{n}", length) for n, length in enumerate(lengths)))

    def test_short_functions_are_good(self):
        self.write_lengths(*[15] * 9, 300)
        self.assert_good(functions)
        self.assertIn("long function: src/base/a.c:165 f9, 300 lines", self.check(functions)[1])

    def test_median(self):
        self.write_lengths(10, 16, 16)
        self.assert_found(functions, "median of function lengths is 16")

    def test_ninth_decile(self):
        self.write_lengths(*[5] * 8, 41, 41)
        self.assert_found(functions, "ninth decile of function lengths is 41")

    def test_tables_and_types_are_no_functions(self):
        self.write("src/base/a.c", function("short_one", 5) + "struct pair\n{\n" + "    int x;\n" * 50 + "};\n\n"
                   "static const int table[] =\n{\n" + "    1,\n" * 50 + "};\n")
        self.assert_good(functions)
        self.assertIn("1 functions", self.check(functions)[1])

    def test_long_file_is_reported(self):
        self.write("src/base/a.c", function("f", 5) + "\n" * 600)
        self.assertIn("long file: src/base/a.c", self.check(functions)[1])


class Words(Tree):
    def test_clean_tree(self):
        self.write("src/base/a.c", 'int f(void)\n{\n    return puts("sprintf(x)"); /* gets(x) */\n}\n')
        self.write("tests/a.c", "int g(void) { return system(0) + s->gets(1) + my_strcpy(2); }\n")
        self.assert_good(words)

    def test_each_fault(self):
        for name, text, reason in (
                ("src/base/a.c", "int x; \n", "src/base/a.c:1: blank at the end"),
                ("src/base/a.h", "\tint x;\n", "tab"),
                ("src/base/a.c", "int x;\n/* a\n b */ int y = atoi(z);\n", "src/base/a.c:3: atoi is banned"),
                ("tests/a.c", "strcpy (a, b);\n", "strcpy is banned"),
                ("src/base/a.c", "system(x);\n", "system is banned"),
                ("doc/a.md", "see /" + "work/main/x\n", "path of one machine"),
                ("doc/a.md", "see /" + "root/x\n", "path of one machine")):
            with self.subTest(text):
                self.write(name, text)
                self.assert_found(words, reason)
                (self.root / name).unlink()


class Readme(Tree):
    def run_on(self, text: str) -> int:
        page = self.root / "page.md"
        page.write_text(text)
        command = [sys.executable, str(Path(__file__).with_name("readme.py")), "cc", str(page), str(self.root)]
        return subprocess.run(command, capture_output=True).returncode

    def test_good_example(self):
        self.assertEqual(self.run_on("```c\nint main(void)\n{\n}\n```\n"), 0)

    def test_broken_example(self):
        self.assertEqual(self.run_on("```c\nint main(void)\n{\n    gone();\n}\n```\n"), 1)

    def test_no_example(self):
        self.assertEqual(self.run_on("nothing here\n"), 1)


class Symbols(unittest.TestCase):
    def build(self, code: str) -> str:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        library = f"{folder.name}/lib.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library], input=code, text=True, check=True)
        return library

    def check(self, code: str) -> tuple[int, str]:
        output = io.StringIO()
        with redirect_stdout(output):
            return symbols.main([self.build(code)]), output.getvalue()

    def test_only_ours(self):
        self.assertEqual(self.check("int shopdata_a(void) { return 0; }")[0], 0)

    def test_foreign_symbol(self):
        code, output = self.check("int shopdata_a(void) { return 0; } int sdi_b(void) { return 0; }")
        self.assertEqual((code, "sdi_b" in output), (1, True))

    def test_nothing_exported(self):
        self.assertEqual(self.check("static int a; int *shopdata(void);")[0], 1)


@unittest.skipUnless(shutil.which("clang-format"), "clang-format is not installed")
class Formatting(Tree):
    def test_form(self):
        self.write(".clang-format", "IndentWidth: 4\n")
        self.assert_found(formatting, "to check")
        self.write("src/base/a.c", "int first;\n")
        self.assert_good(formatting)
        self.write("src/base/a.c", "int   first;\n")
        self.assert_found(formatting, "src/base/a.c:1:", "clang-format -i src/base/a.c")


if __name__ == "__main__":
    unittest.main()
