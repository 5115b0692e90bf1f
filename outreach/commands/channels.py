"""`outreach channels`: what every adapter can do."""

from rich.table import Table

from channels.matrix import COLUMNS, markdown, rows
from outreach.commands.common import Json, console, print_json


def channels(as_json: Json = False, as_markdown: bool = False) -> None:
    """Print what every adapter can do: the table of docs/channels/README.md, from the code."""
    if as_json:
        print_json([{"adapter": name, "medium": medium, "can": able} for name, medium, able in rows()])
    elif as_markdown:
        console.print(markdown(), end="", markup=False, highlight=False, soft_wrap=True)
    else:
        table = Table("adapter", "medium", *COLUMNS.values())
        for name, medium, able in rows():
            table.add_row(name, medium, *("yes" if can else "–" for can in able.values()))
        console.print(table)
