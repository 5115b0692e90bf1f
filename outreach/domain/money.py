"""Money: integer minor units and an ISO 4217 code. No floats anywhere."""

from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import get_currency_precision


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount: ``minor`` units (cents, fen, yen) of ``currency`` (ISO 4217)."""

    minor: int
    currency: str

    @property
    def exponent(self) -> int:
        """Decimal places of the currency: 2 for USD, 0 for JPY, 3 for KWD (CLDR, ISO 4217)."""
        return get_currency_precision(self.currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-self.exponent)

    def __add__(self, other: "Money") -> "Money":
        """Add two amounts of one currency. Raises ValueError on mixed currencies."""
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        """Subtract two amounts of one currency. Raises ValueError on mixed currencies."""
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}")


def parse_minor(text: str, currency: str) -> int:
    """Read ``"1234.50"`` as minor units of ``currency``. Raises ValueError when it is not an exact amount."""
    amount = Decimal(text).scaleb(get_currency_precision(currency))
    if not amount.is_finite() or amount != amount.to_integral_value():
        raise ValueError(f"more decimal places than {currency} has")
    return int(amount)
