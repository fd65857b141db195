"""Which prices a page may show: the judge of the check.

An edit counts from the moment its answer has arrived. A request that starts afterwards must show that edit, or one that
was sent later (it may be under way, and seen or not). The edits of one product come one after the other.
"""

import bisect
import threading
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Offer:
    """What the shop says of a product; a stock of None means that the page does not tell it."""

    price: str
    stock: int | None = None

    def agrees_with(self, written: "Offer") -> bool:
        return self.price == written.price and self.stock in (None, written.stock)


@dataclass
class History:
    """All that was written for one product, in order, and when each edit was acknowledged."""

    offers: list[Offer]
    moments: list[int] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)

    def oldest_allowed(self, moment: int) -> int:
        position = bisect.bisect_right(self.moments, moment)
        return self.acknowledged[position - 1] if position else 0


class Ledger:
    def __init__(self, initial: dict[int, Offer]):
        self.histories = {product: History([offer]) for product, offer in initial.items()}
        self.lock = threading.Lock()
        self.now = 0

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

    def acknowledge(self, product: int, number: int) -> None:
        """To be called as soon as an edit's answer is there."""
        with self.lock:
            history = self.histories[product]
            history.moments.append(self.now + 1)
            history.acknowledged.append(number)
            self.now += 1

    def was_edited(self, product: int) -> bool:
        return len(self.histories[product].offers) > 1

    def complaint(self, moment: int, product: int, shown: Offer) -> str | None:
        """Why a page that was asked for at `moment` must not show this; None if it may."""
        history = self.histories.get(product)
        if history is None:
            return f"product {product} is not in the catalogue"
        oldest = history.oldest_allowed(moment)
        if any(shown.agrees_with(offer) for offer in history.offers[oldest:]):
            return None
        return (f"product {product} shown as {shown.price}/{shown.stock}, but edit {oldest} "
                f"({history.offers[oldest].price}/{history.offers[oldest].stock}) was answered before the request began")
