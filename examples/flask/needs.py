"""What the tests of this shop need: the modules of the storefront's tests, the servers, and Debian's Flask and gunicorn."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "storefront"))

import testing  # noqa: E402


def require() -> None:
    """Ends the test as skipped where something is missing."""
    testing.require_servers()
    found = subprocess.run(["/usr/bin/python3", "-c", "import flask, gunicorn"], capture_output=True, check=False)
    if found.returncode != 0:
        print("needs Flask and gunicorn for /usr/bin/python3 (tests/setup flask)")
        sys.exit(testing.SKIPPED)
