"""Free loopback ports that stay ours: a server that was killed must find its port free when it starts again."""

import random
import socket
from pathlib import Path

from .errors import LaunchError

LOWEST, HIGHEST = 15000, 32000
# Held open until the launcher ends. An abstract socket is a lock that the kernel releases by itself, and it has the
# same reach as a port: one network namespace.
_reservations: list[socket.socket] = []


def ephemeral_start() -> int:
    """Where the kernel begins to hand out ports to clients: one of those could be taken while its server is down."""
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return HIGHEST


def reserve() -> int:
    """A port that nobody listens on and that no other launcher has reserved."""
    highest = min(HIGHEST, ephemeral_start())
    if highest <= LOWEST:
        highest = HIGHEST
    candidates = list(range(LOWEST, highest))
    random.shuffle(candidates)
    for port in candidates:
        if _claim(port):
            return port
    raise LaunchError(f"no free port between {LOWEST} and {highest} on 127.0.0.1: end some of the servers there")


def _claim(port: int) -> bool:
    reservation = socket.socket(socket.AF_UNIX)
    try:
        reservation.bind(f"\0shopdata-launcher-port-{port}")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OSError:
        reservation.close()
        return False
    _reservations.append(reservation)
    return True
