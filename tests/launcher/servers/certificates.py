"""A certificate authority of our own, and what it signs, made with openssl: for servers that talk TLS."""

import os
import pwd
import subprocess
from pathlib import Path
from typing import Optional

from .caches import require_program
from .errors import LaunchError

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"
KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


class Certificates:
    """ca.pem; server, client and expired-client, each a .pem and a .key. And stranger-ca.pem, which signed none of it."""

    def __init__(self, directory: Path, user: Optional[pwd.struct_passwd]):
        self.directory = directory
        self.user = user
        self.program = require_program("openssl")

    def make(self) -> None:
        self.directory.mkdir(mode=0o755)
        for name in ("ca", "stranger-ca"):
            self._openssl("req", "-x509", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "30",
                          "-subj", f"/CN={name}")
        (self.directory / "names").write_text(NAMES + "\n")
        self._sign("server", 30)
        self._sign("client", 30)
        self._sign("expired-client", -1)
        for path in self.directory.iterdir():
            path.chmod(0o600 if path.name in ("ca.key", "server.key") else 0o644)
        if self.user:  # root reads them all the same
            os.chown(self.directory / "server.key", self.user.pw_uid, self.user.pw_gid)

    def _sign(self, name: str, days: int) -> None:
        self._openssl("req", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                      "-extfile", "names", "-days", str(days), "-out", f"{name}.pem")

    def _openssl(self, *arguments: str) -> None:
        done = subprocess.run([self.program, *arguments], cwd=self.directory, capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise LaunchError(f"openssl {arguments[0]} failed: {' / '.join(done.stderr.split(chr(10))[-3:])}")

    def path(self, name: str) -> str:
        return str(self.directory / name)
