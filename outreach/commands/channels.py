"""`outreach channels`: what every adapter can do, and what providers' codes mean."""

from typing import Annotated

import typer
from rich.table import Table

from channels.codes import NEWS, RAISES, CodeTables, codes_of, providers
from channels.matrix import COLUMNS, markdown, rows
from outreach.commands.common import Json, console, fail, print_json

app = typer.Typer(invoke_without_command=True, help="What every adapter can do, and what providers' codes mean.")


@app.callback()
def channels(context: typer.Context, as_json: Json = False, as_markdown: bool = False) -> None:
    """Print what every adapter can do: the table of docs/channels/README.md, from the code."""
    if context.invoked_subcommand is not None:
        return
    if as_json:
        print_json([{"adapter": name, "medium": medium, "can": able} for name, medium, able in rows()])
    elif as_markdown:
        console.print(markdown(), end="", markup=False, highlight=False, soft_wrap=True)
    else:
        table = Table("adapter", "medium", *COLUMNS.values())
        for name, medium, able in rows():
            table.add_row(name, medium, *("yes" if can else "–" for can in able.values()))
        console.print(table)


@app.command()
def codes(
    provider: Annotated[str, typer.Argument(help="Whose codes: twilio or aliyun.")],
    code: Annotated[str | None, typer.Argument(help="Only this code.")] = None,
    as_json: Json = False,
) -> None:
    """Print what a provider's error codes mean to us, and what follows: docs/channels/provider-codes.md."""
    if provider not in providers():
        fail(f"no codes of {provider}; there are {', '.join(providers())}")
    found = codes_of(provider)
    listed = _listed(found, code)
    if as_json:
        print_json({"provider": found.provider, "version": found.version, "codes": listed})
        return
    table = Table("code", "class", "a refusal is", "a receipt is", "meaning", title=found.decided_by)
    for row in listed:
        table.add_row(*(str(row[name]) for name in ("code", "class", "refusal", "receipt", "meaning")))
    console.print(table)


def _listed(found: CodeTables, code: str | None) -> list[dict[str, object]]:
    """Return the rows asked for; a code that is not in the data is shown as what it would be treated as."""
    shown = [
        (table, each, row)
        for table, rows_ in found.tables.items()
        for each, row in (rows_.items() if code is None else [(code, found.row(code, table))])
    ]
    return [
        {
            "table": table,
            "code": each,
            "class": row.kind,
            "refusal": RAISES[row.kind].code,
            "receipt": NEWS[row.kind],
            "meaning": row.meaning,
            "wait_seconds": row.wait_seconds,
            "source": row.source or None,
        }
        for table, each, row in shown
    ]
