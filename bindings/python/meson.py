"""What meson-python runs as Meson: the same, but that the source is the whole library's, two folders up."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def main(arguments: list[str]) -> None:
    """Runs Meson with these arguments, the library's folder in place of this one."""
    if arguments[:1] == ["dist"]:
        sys.exit("shopdata: a source distribution would lack the C library: build the wheel in a clone")
    # Python put this folder first, where `meson` would be this file again.
    os.execvp("meson", ["meson", *(ROOT if argument == HERE else argument for argument in arguments)])


if __name__ == "__main__":
    main(sys.argv[1:])
