"""Says what was measured: one table for people, one JSON document for machines."""

from typing import Any

from rich.table import Table

from outreach.benchmark import replies


def table(found: dict[str, Any]) -> Table:
    """Return the results beside their aims."""
    shown = Table(title="outreach bench", title_justify="left")
    shown.add_column("measured")
    shown.add_column("result", justify="right")
    shown.add_column("aim", justify="right")
    shown.add_column("how", overflow="fold")
    for name, rows_of in _ROWS.items():
        if name in found:
            for row in rows_of(found[name]):
                shown.add_row(*row)
    return shown


Rows = list[tuple[str, str, str, str]]


def _delivery(found: dict[str, Any]) -> Rows:
    rows: Rows = []
    for name, aim, share in (("sms", "1,500/s", "0.70"), ("email", "", "0.70"), ("email_dkim", "", "0.70")):
        if name in found:
            one, channel = found[name], name.replace("_dkim", " signed")
            how = f"{found['touches']:,} touches from due to settled, {found['processes']} lanes"
            rows.append((f"delivery {channel}", f"{one['per_second']:,.0f}/s", aim, how))
            raw = f"raw loop: {one['raw_per_second']:,.0f}/s with as many processes"
            rows.append((f"delivery {channel} : raw", f"{one['ratio']:.2f}", share, raw))
            spent = " + ".join(f"{name} {ms:.2f}" for name, ms in one["processor_ms_per_touch"].items())
            rows.append(("  of which busy", f"{sum(one['processor_ms_per_touch'].values()):.2f} ms", "", spent))
    return rows


def _scan(found: dict[str, Any]) -> Rows:
    rows: Rows = [
        (f"scan {int(size):,}", f"{spent:,.0f} ms", "", f"to claim {found['claimed']:,} due steps")
        for size, spent in found["milliseconds"].items()
    ]
    return [*rows, ("scan largest : smallest", f"{found['last_to_first']:.2f}", "1.50", "")]


def _decide(found: dict[str, Any]) -> Rows:
    how = f"on one core, {found['history']} contacts of history"
    city = f"federal, state, city and house rules, {found['city_history']} contacts"
    return [
        ("decide", f"{found['per_second']:,.0f}/s", "10,000/s", how),
        ("decide with facts", f"{found['with_facts_per_second']:,.0f}/s", "", "the facts made anew each time"),
        ("decide in New York City", f"{found['city_per_second']:,.0f}/s", "10,000/s", city),
        (
            "search for an hour, longest",
            f"{found['search_worst_ms']:,.1f} ms",
            "5 ms",
            "five weeks gone through in vain",
        ),
        (
            f"{found['batch']['batch']} decisions with their facts",
            f"{found['batch']['p50_ms']:,.0f} ms",
            "60 ms",
            f"read from Postgres and decided; {found['batch']['history']} contacts each",
        ),
    ]


def _trigger(found: dict[str, Any]) -> Rows:
    idle, beside = found["idle"], found["beside_campaign"]
    busy = f"while a campaign sends {found['campaign_per_second']} a second"
    return [
        ("trigger p50", f"{idle['p50_ms']:,.0f} ms", "300 ms", "event posted to text accepted by the carrier"),
        ("trigger p99", f"{idle['p99_ms']:,.0f} ms", "", ""),
        ("trigger p50 beside a campaign", f"{beside['p50_ms']:,.0f} ms", "", busy),
        ("trigger p99 beside a campaign", f"{beside['p99_ms']:,.0f} ms", "", ""),
    ]


def _answers(found: dict[str, Any]) -> Rows:
    idle, beside = found["idle"], found["beside_campaign"]
    busy = f"while a campaign sends {found['campaign_per_second']} a second; the webhook's 2xx: p99 "
    return [
        (
            "answer to a text p50",
            f"{idle['p50_ms']:,.0f} ms",
            "",
            "webhook of a text to its answer accepted by the carrier",
        ),
        (
            "answer to a text p99",
            f"{idle['p99_ms']:,.0f} ms",
            "",
            f"the webhook's 2xx: p99 {idle['taken_p99_ms']:,.0f} ms",
        ),
        ("answer beside a campaign p50", f"{beside['p50_ms']:,.0f} ms", "", ""),
        (
            "answer beside a campaign p99",
            f"{beside['p99_ms']:,.0f} ms",
            "1,000 ms",
            f"{busy}{beside['taken_p99_ms']:,.0f} ms",
        ),
    ]


def _replies(found: dict[str, Any]) -> Rows:
    return list(replies.rows(found))


def _calls(found: dict[str, Any]) -> Rows:
    how = f"{found['turns']:,} turns of {found['calls']:,} calls, {found['at_once']} at once, at the web process"
    slowest = max(found["by_turn"].values(), key=lambda turn: turn["p99_ms"])
    return [
        ("turn of a call p50", f"{found['p50_ms']:,.0f} ms", "", how),
        ("turn of a call p99", f"{found['p99_ms']:,.0f} ms", "200 ms", f"slowest turn: {slowest['p99_ms']:,.0f} ms"),
    ]


def _portal(found: dict[str, Any]) -> Rows:
    return [
        (
            f"portal {name}",
            f"{one['p50_ms']:,.0f} / {one['p99_ms']:,.0f} ms",
            "150 ms",
            f"p50 / p99; {one['per_second']:,.0f} a second, one after another"
            + (f"; {one['bytes']:,} bytes" if one["bytes"] else ""),
        )
        for name, one in found["pages"].items()
    ]


def _stalled(found: dict[str, Any]) -> Rows:
    how = f"emails: {found['calm_per_second']:,.0f}/s, beside texts that wait {found['stall_seconds']} s each: "
    how += f"{found['stalled_per_second']:,.0f}/s"
    memory = found["memory"]
    return [
        ("another lane stalled : calm", f"{found['ratio']:.2f}", "0.90", how),
        ("memory of a worker", f"{memory['worker_mib']:,.0f} MiB", "200 MiB", f"{memory['in_flight']:,} in flight"),
    ]


def _callbacks(found: dict[str, Any]) -> Rows:
    how = f"signed, {found['connections']} connections, one web process"
    return [
        ("callbacks", f"{found['per_second']:,.0f}/s", "1,000/s", how),
        ("  of which busy", f"{found['processor_ms']:.2f} ms", "", "the web process, for each"),
        ("callbacks p99", f"{found['p99_ms']:,.0f} ms", "50 ms", f"at half that rate; p50 {found['p50_ms']:,.0f} ms"),
    ]


_ROWS = {
    "delivery": _delivery,
    "stalled": _stalled,
    "callbacks": _callbacks,
    "scan": _scan,
    "decide": _decide,
    "trigger": _trigger,
    "answers": _answers,
    "replies": _replies,
    "calls": _calls,
    "portal": _portal,
}
