"""Reading config/arrangements.yaml; everything wrong with it is reported with file, line, column and field."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from babel.numbers import is_currency

from outreach.domain.arrangement import ArrangementPolicy, Frequency, Paydays, Shape
from outreach.domain.located_yaml import ConfigError, Located, Problem, Where, load_located
from outreach.domain.money import parse_minor
from outreach.domain.places import countries

_FIELDS = frozenset(
    [
        "id",
        "products",
        "currency",
        "days_past_due",
        "amount",
        "offers",
        "minimum_installment",
        "down_payment_percent",
        "first_after_days",
        "max_length_days",
        "max_count",
        "grace_days",
        "promise_max_days",
    ]
)
_OPTIONAL = frozenset(
    [
        "jurisdictions",
        "broken_before",
        "fee",
        "first_within_days",
        "business_days",
        "promise_grace_days",
        "extension",
    ]
)
_SHORTEST = 28
_APART = 7
"""Days between two paydays of a month, at least, and of the shortest month."""
_NUMBERS = {
    "down_payment_percent": (0, 50),
    "first_after_days": (0, 45),
    "max_length_days": (7, 1830),
    "max_count": (2, 260),
    "grace_days": (0, 30),
    "promise_max_days": (1, 60),
}


def load_arrangement_policies(path: Path) -> tuple[ArrangementPolicy, ...]:
    """Read every policy of the file, in order. Raises ConfigError with all problems at once."""
    located = load_located(path)
    if located.data is None:
        raise ConfigError(located.problems)
    return _PolicyReader(located).policies()


class _PolicyReader:
    """Turns the file into policies and gathers what is wrong on the way."""

    def __init__(self, located: Located) -> None:
        self._located = located
        self._problems: list[Problem] = list(located.problems)

    def policies(self) -> tuple[ArrangementPolicy, ...]:
        data = self._located.data
        entries = data.get("policies") if isinstance(data, dict) else None
        if not isinstance(entries, list) or not entries:
            self._complain(("policies",), "must be a list of at least one policy")
            entries = []
        for key in data.keys() - {"policies"} if isinstance(data, dict) else ():
            self._complain((key,), "unknown key; allowed is policies")
        read = [self._policy(entry, ("policies", place)) for place, entry in enumerate(entries)]
        self._twice([policy.id for policy in read if policy])
        if self._problems:
            raise ConfigError(self._problems)
        return tuple(policy for policy in read if policy)

    def _complain(self, where: Where, text: str) -> None:
        self._problems.append(self._located.problem(where, text))

    def _twice(self, ids: list[str]) -> None:
        for place, policy_id in enumerate(ids):
            if policy_id in ids[:place]:
                self._complain(("policies", place, "id"), f"{policy_id} is used twice")

    def _policy(self, entry: Any, where: Where) -> ArrangementPolicy | None:  # noqa: ANN401 - plain YAML
        if not isinstance(entry, dict):
            self._complain(where, "must be a mapping")
            return None
        before = len(self._problems)
        for key in entry.keys() - _FIELDS - _OPTIONAL:
            self._complain((*where, key), f"unknown key; allowed are {', '.join(sorted(_FIELDS | _OPTIONAL))}")
        for key in _FIELDS - entry.keys():
            self._complain((*where, key), "is missing")
        if len(self._problems) > before:
            return None
        numbers: dict[str, Any] = {
            name: self._number(entry[name], (*where, name), low, high) for name, (low, high) in _NUMBERS.items()
        }
        currency = self._currency(entry["currency"], (*where, "currency"))
        dpd = self._range(entry["days_past_due"], (*where, "days_past_due"))
        shapes = self._shapes(entry["offers"], (*where, "offers"))
        if len(self._problems) > before or not currency:
            return None
        low, high = self._amounts(entry["amount"], (*where, "amount"), currency)
        policy = ArrangementPolicy(
            id=str(entry["id"]),
            currency=currency,
            min_due_minor=low,
            max_due_minor=high,
            dpd_from=dpd[0],
            dpd_to=dpd[1],
            shapes=shapes,
            minimum_minor=self._minor(entry["minimum_installment"], (*where, "minimum_installment"), currency),
            products=frozenset(str(product) for product in entry["products"]),
            **numbers,
            **self._optional(entry, where, currency),
        )
        return policy if len(self._problems) == before else None

    def _optional(self, entry: dict[str, Any], where: Where, currency: str) -> dict[str, Any]:
        """Read the keys that may be left out."""
        found: dict[str, Any] = {}
        if "jurisdictions" in entry:
            found["jurisdictions"] = self._places(entry["jurisdictions"], (*where, "jurisdictions"))
        if "broken_before" in entry and (pair := self._pair(entry["broken_before"], (*where, "broken_before"))):
            for side in ("from", "to"):
                found[f"broken_{side}"] = self._number(pair[side], (*where, "broken_before", side), 0, 1000)
            if found["broken_from"] > found["broken_to"]:
                self._complain((*where, "broken_before", "to"), "must not be below from")
        if "fee" in entry:
            found["fee_minor"] = self._minor(entry["fee"], (*where, "fee"), currency)
        if "first_within_days" in entry:
            found["first_within_days"] = self._number(entry["first_within_days"], (*where, "first_within_days"), 0, 62)
        if "promise_grace_days" in entry:
            at = (*where, "promise_grace_days")
            found["promise_grace_days"] = self._number(entry["promise_grace_days"], at, 0, 30)
        if "business_days" in entry:
            found["business_days"] = entry["business_days"] is True
            if not isinstance(entry["business_days"], bool):
                self._complain((*where, "business_days"), "must be true or false")
        if "extension" in entry:
            found |= self._extension(entry["extension"], (*where, "extension"))
        return found

    def _places(self, value: Any, where: Where) -> frozenset[str]:  # noqa: ANN401 - plain YAML
        if not isinstance(value, list) or not value:
            self._complain(where, "must be a list of at least one country or subdivision such as US or US-NY")
            return frozenset()
        for place, item in enumerate(value):
            if not isinstance(item, str) or item.split("-", 1)[0] not in countries():
                self._complain((*where, place), "must be an ISO 3166 country or subdivision such as US or US-NY")
        return frozenset(str(item) for item in value)

    def _extension(self, value: Any, where: Where) -> dict[str, int]:  # noqa: ANN401
        if not isinstance(value, dict) or value.keys() != {"max_days", "every_days"}:
            self._complain(where, "must have exactly max_days and every_days")
            return {}
        return {
            "extension_max_days": self._number(value["max_days"], (*where, "max_days"), 1, 62),
            "extension_every_days": self._number(value["every_days"], (*where, "every_days"), 1, 3650),
        }

    def _number(self, value: Any, where: Where, low: int, high: int) -> int:  # noqa: ANN401
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self._complain(where, f"must be a whole number from {low} to {high}")
        return low

    def _currency(self, value: Any, where: Where) -> str | None:  # noqa: ANN401
        if isinstance(value, str) and is_currency(value):
            return value
        self._complain(where, "must be an ISO 4217 code in capitals such as USD")
        return None

    def _pair(self, value: Any, where: Where) -> Mapping[str, Any] | None:  # noqa: ANN401
        if isinstance(value, dict) and value.keys() == {"from", "to"}:
            return value
        self._complain(where, "must have exactly from and to")
        return None

    def _range(self, value: Any, where: Where) -> tuple[int, int]:  # noqa: ANN401
        pair = self._pair(value, where)
        if pair is None:
            return 0, 0
        low = self._number(pair["from"], (*where, "from"), -60, 3650)
        high = self._number(pair["to"], (*where, "to"), -60, 3650)
        if low > high:
            self._complain((*where, "to"), f"must not be below from ({low})")
        return low, high

    def _amounts(self, value: Any, where: Where, currency: str) -> tuple[int, int]:  # noqa: ANN401
        pair = self._pair(value, where)
        if pair is None:
            return 1, 1
        low = self._minor(pair["from"], (*where, "from"), currency)
        high = self._minor(pair["to"], (*where, "to"), currency)
        if low > high:
            self._complain((*where, "to"), "must not be below from")
        return low, high

    def _minor(self, value: Any, where: Where, currency: str) -> int:  # noqa: ANN401
        try:
            minor = parse_minor(str(value), currency) if isinstance(value, str | int) else 0
        except (ValueError, ArithmeticError):
            minor = 0
        if minor <= 0:
            self._complain(where, f'must be an amount of {currency} above 0 as text, such as "25.00"')
        return max(minor, 1)

    def _shapes(self, value: Any, where: Where) -> tuple[Shape, ...]:  # noqa: ANN401
        if not isinstance(value, list) or not value:
            self._complain(where, "must be a list of at least one offer")
            return ()
        return tuple(self._shape(item, (*where, place)) for place, item in enumerate(value))

    def _shape(self, item: Any, where: Where) -> Shape:  # noqa: ANN401
        if not isinstance(item, dict) or item.keys() - {"day", "paydays"} != {"count", "frequency"}:
            self._complain(where, "must have count and frequency, and may have day (of the month) or paydays")
            return Shape(2, Frequency.MONTHLY)
        if item["frequency"] not in set(Frequency):
            self._complain((*where, "frequency"), f"must be one of {', '.join(Frequency)}")
            return Shape(2, Frequency.MONTHLY)
        frequency, day = Frequency(item["frequency"]), None
        if "day" in item:
            day = self._number(item["day"], (*where, "day"), 1, 31)
            if frequency is not Frequency.MONTHLY:
                self._complain((*where, "day"), "goes with frequency monthly")
        paydays = self._paydays(item["paydays"], frequency, (*where, "paydays")) if "paydays" in item else None
        return Shape(self._number(item["count"], (*where, "count"), 2, 260), frequency, day, paydays)

    def _paydays(self, value: Any, frequency: Frequency, where: Where) -> Paydays | None:  # noqa: ANN401
        if frequency is not Frequency.SEMIMONTHLY:
            self._complain(where, "goes with frequency semimonthly")
        if not isinstance(value, list) or len(value) != 2:
            self._complain(where, "must be two days of the month such as [1, 15]; 31 is the last day of every month")
            return None
        early, late = (self._number(day, (*where, place), 1, 31) for place, day in enumerate(value))
        if min(late, _SHORTEST) - early < _APART or early + _SHORTEST - min(late, _SHORTEST) < _APART:
            self._complain(where, f"must be in order and at least {_APART} days apart, over the end of February too")
        return early, late
