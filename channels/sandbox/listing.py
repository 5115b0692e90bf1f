"""Lists of resources as the 2010 API pages them, newest first."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, Generic, Protocol, TypeVar
from urllib.parse import urlencode

import orjson

from channels.sandbox.http import Request, Response
from channels.sandbox.problems import problem

_LARGEST_PAGE: Final = 1000


class Resource(Protocol):
    """What a list needs to know of a resource."""

    sid: str
    to: str
    from_: str
    status: str

    def as_json(self) -> dict[str, object]:
        """Return the resource as the API shows it."""
        ...


R = TypeVar("R", bound=Resource)


class Shelf(Generic[R]):
    """Resources by SID and by the number they went to, in order of creation."""

    def __init__(
        self,
        name: str,
        path: str,
        dated: str,
        date_of: Callable[[R], float | None],
        listed: Callable[[R], bool] = lambda _: True,
    ) -> None:
        self._name = name
        self._path = path
        self._dated = dated
        self._date_of = date_of
        self._listed = listed
        self.forget()

    def forget(self) -> None:
        """Drop everything."""
        self.by_sid: dict[str, R] = {}
        self._by_to: defaultdict[str, list[R]] = defaultdict(list)

    def add(self, resource: R) -> None:
        """Put a resource on the shelf."""
        self.by_sid[resource.sid] = resource
        self._by_to[resource.to].append(resource)

    def to(self, number: str) -> list[R]:
        """Return what went to a number, in order of creation."""
        return list(self._by_to.get(number, ()))

    def remove(self, resource: R) -> None:
        """Take a resource off the shelf."""
        del self.by_sid[resource.sid]
        self._by_to[resource.to].remove(resource)

    def page(self, request: Request) -> Response:
        """Answer a GET on the list: To, From, Status, the dated filters, PageSize and Page."""
        args = request.args()
        try:
            size = min(_LARGEST_PAGE, max(1, int(args.get("PageSize", "50"))))
            number = max(0, int(args.get("Page", "0")))
            found = list(self._matching(args))
        except ValueError:
            return problem(20404, detail=": a filter is malformed")
        start = number * size
        chosen = found[start : start + size]
        more = len(found) > start + size
        body = {
            self._name: [resource.as_json() for resource in chosen],
            "page": number,
            "page_size": size,
            "start": start,
            "end": max(start, start + len(chosen) - 1),
            "uri": self._uri(args, number, size),
            "first_page_uri": self._uri(args, 0, size),
            "next_page_uri": self._uri(args, number + 1, size) if more else None,
            "previous_page_uri": self._uri(args, number - 1, size) if number else None,
        }
        return Response(200, orjson.dumps(body))

    def _uri(self, args: Mapping[str, str], number: int, size: int) -> str:
        kept = {name: value for name, value in args.items() if name not in {"Page", "PageSize", "PageToken"}}
        return f"{self._path}?{urlencode({**kept, 'PageSize': size, 'Page': number})}"

    def _matching(self, args: Mapping[str, str]) -> Iterator[R]:
        to = args.get("To")
        pool: Iterable[R] = self._by_to.get(to, ()) if to is not None else self.by_sid.values()
        within = _window(args, self._dated)
        for resource in reversed(list(pool)):
            if not self._listed(resource):
                continue
            if args.get("From", resource.from_) != resource.from_:
                continue
            if args.get("Status", resource.status) != resource.status:
                continue
            if within is None or within(self._date_of(resource)):
                yield resource


def _window(args: Mapping[str, str], dated: str) -> Callable[[float | None], bool] | None:
    """Build the test for ``Name``, ``Name<`` and ``Name>``; each means a whole UTC day and counts itself.

    Raises ValueError for anything that is not an ISO 8601 date or instant.
    """
    spans = {sign: _span(args[f"{dated}{sign}"]) for sign in ("", "<", ">") if f"{dated}{sign}" in args}
    if not spans:
        return None
    low = max([spans[sign][0] for sign in ("", ">") if sign in spans], default=float("-inf"))
    high = min([spans[sign][1] for sign in ("", "<") if sign in spans], default=float("inf"))
    return lambda epoch: epoch is not None and low <= epoch < high


def _span(text: str) -> tuple[float, float]:
    day = datetime.fromisoformat(text).date()
    start = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    return start, start + 86400
