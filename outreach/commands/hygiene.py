"""`outreach hygiene`: how well borrowers can be reached, by lane, country and sender, without anything personal."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from outreach.commands.common import Json, console, print_json, settings_or_fail
from outreach.commands.indoors import a_house, run
from outreach.domain.words import Channel
from outreach.flows.ports import Row
from outreach.flows.sentences import reason_words

_COUNTS = ("ended", "delivered", "not_delivered", "no_news", "unknown", "no_address_or_opted_out")
_FEWEST = 20
"""Attempts a sender needs to be judged by its share."""


def hygiene(
    days: Annotated[int, typer.Option(help="Look at what ended within so many days.", min=1, max=400)] = 30,
    as_json: Json = False,
) -> None:
    """Count contact points by state and reason, and what became of attempts by channel, country and sender."""
    found = run(_examine(days))
    if as_json:
        print_json(found)
    else:
        _show(found)


async def _examine(days: int) -> dict[str, Any]:
    async with a_house(settings_or_fail()) as house, house.store.transaction() as tx:
        now = house.clock.now()
        channels = [str(channel) for channel in Channel]
        points = await tx.points_by_state()
        shares = await tx.delivery_shares(channels, now - timedelta(days=days), now)
        bands = sorted(house.protection.bands)
    return {
        "at": now,
        "days": days,
        "waits_for_news_on": bands,
        "contact_points": [_point(row) for row in points],
        "channels": _by(shares, lambda row: (row[0],), ("channel",)),
        "countries": _by(shares, lambda row: (row[0], row[1]), ("channel", "country")),
        "senders": _worst(_by(shares, lambda row: (row[0], row[2]), ("channel", "sender"))),
    }


def _point(row: Row) -> dict[str, Any]:
    kind, type_, state, reason, count = row
    return {"kind": kind, "type": type_, "state": state, "reason": reason, "contact_points": count,
            "takes_texts": None if kind != "phone" else type_ not in {"fixed_line", "toll_free"}}  # fmt: skip


def _by(rows: Iterable[Row], key: Any, names: tuple[str, ...]) -> list[dict[str, Any]]:  # noqa: ANN401 - a function of a row
    sums: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for row in rows:
        sums[key(row)].update(dict(zip(_COUNTS, row[3:], strict=True)))
    return [
        {**dict(zip(names, names_of, strict=True)), **{name: counts[name] for name in _COUNTS},
         "share_delivered": _share(counts, "delivered"), "share_not_delivered": _share(counts, "not_delivered")}
        for names_of, counts in sorted(sums.items())
    ]  # fmt: skip


def _share(counts: Counter[str], name: str) -> float:
    return round(counts[name] / counts["ended"], 4) if counts["ended"] else 0.0


def _worst(senders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the senders of which most was not delivered first; those with hardly any attempts last."""
    return sorted(senders, key=lambda one: (one["ended"] < _FEWEST, -one["share_not_delivered"], -one["ended"]))


def _show(found: dict[str, Any]) -> None:
    points = Table(title="Numbers and mailboxes")
    for heading in ("kind", "type", "state", "why", "how many"):
        points.add_column(heading, justify="right" if heading == "how many" else "left")
    for one in found["contact_points"]:
        why = reason_words(one["reason"]) if one["reason"] else ""
        if one["takes_texts"] is False:
            why = f"{why + '; ' if why else ''}takes no texts"
        points.add_row(one["kind"], one["type"], one["state"], why, str(one["contact_points"]))
    console.print(points)
    for title, names in (("channels", ("channel",)), ("countries", ("channel", "country")),
                         ("senders", ("channel", "sender"))):  # fmt: skip
        console.print(_table(title, names, found[title], found["days"], found["at"]))
    waits = ", ".join(found["waits_for_news_on"])
    console.print(f"Delivery is reported, and waited for, on: {waits or 'no channel'}.")


def _table(title: str, names: tuple[str, ...], rows: list[dict[str, Any]], days: int, at: datetime) -> Table:
    heads = {"channels": "By channel", "countries": "By country", "senders": "By sender, the worst first"}
    table = Table(title=f"{heads[title]}, {days} days to {at:%Y-%m-%d}")
    for heading in names:
        table.add_column(heading)
    for heading in ("ended", "delivered", "not delivered", "no news", "unknown", "no address, opted out", "delivered %",
                    "not delivered %"):  # fmt: skip
        table.add_column(heading, justify="right")
    for one in rows:
        shares = (f"{one[share] * 100:.1f}" for share in ("share_delivered", "share_not_delivered"))
        table.add_row(*(one[name] or "-" for name in names), *(str(one[name]) for name in _COUNTS), *shares)
    return table
