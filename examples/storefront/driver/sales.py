"""What may be left of a product that is sold while it is looked at.

Nobody else writes these products, so their stock only falls: by what was ordered for certain when a request began, and by
no more than what may have been ordered when its answer was there.
"""

import bisect
import threading
from dataclasses import dataclass, field


@dataclass
class Sale:
    """One product."""

    initial: int
    price: str
    asked: int = 0                                   # pieces that were or are being ordered
    moments: list[int] = field(default_factory=list)
    ordered: list[int] = field(default_factory=list)  # pieces whose order was answered, by the moment

    def ordered_at(self, moment: int) -> int:
        position = bisect.bisect_right(self.moments, moment)
        return self.ordered[position - 1] if position else 0

    def complaint(self, moment: int, product: int, price: str, stock: int | None) -> str | None:
        most, least = self.initial - self.ordered_at(moment), self.initial - self.asked
        if price != self.price:
            return f"product {product} shown for {price}, but it always cost {self.price}"
        if stock is not None and not max(least, 0) <= stock <= most:
            return f"product {product} shown with {stock} in stock, but there must be from {max(least, 0)} to {most}"
        return None


class Sales:
    def __init__(self) -> None:
        self.products: dict[int, Sale] = {}
        self.numbers: set[str] = set()
        self.lock = threading.Lock()

    def ask(self, cart: dict[int, int]) -> None:
        """To be called before an order is sent."""
        with self.lock:
            for product, quantity in cart.items():
                self.products[product].asked += quantity

    def refuse(self, cart: dict[int, int]) -> None:
        """The shop said that nothing was ordered."""
        with self.lock:
            for product, quantity in cart.items():
                self.products[product].asked -= quantity

    def confirm(self, cart: dict[int, int], number: str, moment: int) -> bool:
        """As soon as the answer is there. False if the number had been given to another order."""
        with self.lock:
            for product, quantity in cart.items():
                sale = self.products[product]
                before = sale.ordered[-1] if sale.ordered else 0
                sale.moments.append(moment)
                sale.ordered.append(before + quantity)
            is_new = number not in self.numbers
            self.numbers.add(number)
        return is_new
