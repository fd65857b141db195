"""Which prices a page may show: the judge of the check.

An edit counts from the moment its answer has arrived. A request that starts afterwards must show that edit, or one that
was sent later (it may be under way, and seen or not). The edits of one product come one after the other.

Of a shop of several processes there are times of doubt (doubt.py). Then an edit counts for the process that took it,
and for who carries its editor's token; for anybody else it counts if it was settled before the doubt.
"""

import bisect
import math
import threading
import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Offer:
    """What the shop says of a product; a stock of None means that the page does not tell it."""

    price: str
    stock: int | None = None

    def agrees_with(self, written: "Offer") -> bool:
        return self.price == written.price and self.stock in (None, written.stock)


@dataclass(frozen=True)
class Eyes:
    """Who looks: when, through which process, and with whose token."""

    moment: int
    worker: str = ""
    editor: object = None


@dataclass(frozen=True)
class Edit:
    """An edit that was acknowledged: its number among the product's offers, when, and by which process to whom."""

    number: int
    eyes: Eyes

    def binds(self, eyes: Eyes, common: int) -> bool:
        known = self.eyes.worker == eyes.worker or self.eyes.editor is eyes.editor is not None
        return self.eyes.moment <= (eyes.moment if known else common)


@dataclass
class History:
    """All that was written for one product, in order, and what of it was acknowledged."""

    offers: list[Offer]
    edits: list[Edit] = field(default_factory=list)

    def oldest_allowed(self, eyes: Eyes, common: int) -> int:
        return next((edit.number for edit in reversed(self.edits) if edit.binds(eyes, common)), 0)


@dataclass
class Doubt:
    """From the moment `settled` on, until it ends, not everybody knows everything."""

    settled: int
    end: float = math.inf


class Ledger:
    def __init__(self, initial: dict[int, Offer]):
        self.histories = {product: History([offer]) for product, offer in initial.items()}
        self.lock = threading.Lock()
        self.now = 0
        self.times: list[float] = []   # of each moment after the first
        self.doubts: list[Doubt] = []

    def moment(self) -> int:
        """To be taken just before a request is sent."""
        return self.now

    def current(self, product: int) -> Offer:
        return self.histories[product].offers[-1]

    def issue(self, product: int, offer: Offer) -> int:
        """To be called before an edit is sent."""
        history = self.histories[product]
        history.offers.append(offer)
        return len(history.offers) - 1

    def acknowledge(self, product: int, number: int, worker: str = "", editor: object = None) -> None:
        """To be called as soon as an edit's answer is there."""
        with self.lock:
            self.histories[product].edits.append(Edit(number, Eyes(self.now + 1, worker, editor)))
            self.tick()

    def tick(self) -> None:
        """One moment more; to be called with the lock held."""
        self.times.append(time.monotonic())
        self.now += 1

    def doubt(self, seconds: float) -> None:
        """From now on it is settled only what was acknowledged so long ago."""
        with self.lock:
            if not self.doubts or self.doubts[-1].end < math.inf:
                self.doubts.append(Doubt(bisect.bisect_right(self.times, time.monotonic() - seconds)))

    def settle(self) -> None:
        """Everybody knows everything."""
        with self.lock:
            if self.doubts and self.doubts[-1].end == math.inf:
                self.doubts[-1].end = self.now

    def common(self, moment: int) -> int:
        """Up to where everybody must know what was acknowledged, who asked at `moment` and has his answer now."""
        with self.lock:
            return min([moment, *(doubt.settled for doubt in self.doubts if moment <= doubt.end)])

    def was_edited(self, product: int) -> bool:
        return len(self.histories[product].offers) > 1

    def complaint(self, eyes: Eyes, product: int, shown: Offer) -> str | None:
        """Why a page must not show this to these eyes; None if it may."""
        history = self.histories.get(product)
        if history is None:
            return f"product {product} is not in the catalogue"
        oldest = history.oldest_allowed(eyes, self.common(eyes.moment))
        if any(shown.agrees_with(offer) for offer in history.offers[oldest:]):
            return None
        return (f"product {product} shown as {shown.price}/{shown.stock}, but edit {oldest} "
                f"({history.offers[oldest].price}/{history.offers[oldest].stock}) was answered before the request began")
