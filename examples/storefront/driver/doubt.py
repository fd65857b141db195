"""When the shop's processes may know different things, for a moment: begins and ends the ledger's doubts.

While the cache is out of reach, a process knows its own writes; of another's it may lack what is younger than
`route.max_lag` (doc/freshness.md, "the cache server is lost"), unless the visitor's token tells of it. So it is from a
write that the shop itself calls late, until its process has told the cache. What a shop of one process wrote it knows.
"""

import threading
import time
from typing import Callable

from .faults import CACHE_SERVERS
from .http import Connection, HttpError
from .ledger import Ledger
from .metrics import Metrics
from .reading import ReadingError

MAX_LAG_SECONDS = 5.0   # the default of route.max_lag
# The other processes publish their metrics once a second; and a moment.
CALM_SECONDS = 2.5
PAUSE_SECONDS = 0.2
SERVERS = {name for names in CACHE_SERVERS.values() for name in names}


class Doubts(threading.Thread):
    """Watches the cache as the shop's metrics tell it; and what is done to it, as `control`."""

    def __init__(self, ledger: Ledger, address: tuple[str, int], control: Callable[..., str], end: threading.Event):
        super().__init__(daemon=True)
        self.ledger = ledger
        self.connection = Connection(address)
        self.launcher = control
        self.end = end
        self.away: set[str] = set()
        self.calm_since = time.monotonic()

    def control(self, verb: str, node: str = "") -> str:
        """The launcher's, with a doubt before it takes a cache server away."""
        if node in SERVERS and verb in ("stop", "freeze"):
            self.away.add(node)
            self.ledger.doubt(MAX_LAG_SECONDS)
        answer = self.launcher(verb, node) if node else self.launcher(verb)
        if verb in ("start", "thaw"):
            self.away.discard(node)
        return answer

    def run(self) -> None:
        while not self.end.wait(PAUSE_SECONDS):
            if self.away or not self.is_calm():
                self.calm_since = time.monotonic()
            elif time.monotonic() - self.calm_since > CALM_SECONDS:
                self.ledger.settle()
        self.connection.close()

    def is_calm(self) -> bool:
        """Is the cache in reach of all, and has it been told everything?"""
        try:
            metrics = Metrics.fetch(self.connection)
        except (HttpError, ReadingError):
            return False   # whoever looks at pages complains of that
        return not metrics.total("shopdata_unfenced_pending_tags") and not metrics.total("shopdata_cache_breaker_state")
