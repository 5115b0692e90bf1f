"""`outreach bounces parse`: what mail that came back says, one JSON line for each recipient."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import orjson
import typer

from channels.email.bounces import read_mail
from channels.email.mailbox_file import mails_in
from outreach.commands.common import WRONG, complaints

MAX_FILE = 64 * 1024 * 1024
"""Bytes of one file that are read. Mail that comes back is small; a larger file is named and left."""

bounces = typer.Typer(
    no_args_is_help=True, help="Mail that came back: bounces, complaints, automatic and human replies."
)


@bounces.callback()
def group() -> None:
    """Keep ``parse`` a command of the group."""


@bounces.command()
def parse(
    files: Annotated[list[str], typer.Argument(help="Mails, mbox files or folders of them; - is standard input.")],
) -> None:
    """Read mails: JSON Lines out, one a recipient. docs/channels/mail-intake.md has the fields."""
    wrong = False
    for name, path in _named(files):
        octets = _read(name, path)
        wrong |= octets is None
        for raw in mails_in(octets or b"", single=name.endswith(".eml")):
            for finding in read_mail(raw):
                line = {
                    "file": name, "kind": finding.kind, "recipient": finding.recipient, "hard": finding.hard,
                    "status": finding.status, "action": finding.action, "reason": finding.reason,
                }  # fmt: skip
                sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()
    raise typer.Exit(WRONG if wrong else 0)


def _named(files: list[str]) -> Iterator[tuple[str, Path | None]]:
    """Yield every file with the name it is reported under; of folders, those within that are not hidden, in order."""
    for name in files:
        path = Path(name)
        if name == "-":
            yield name, None
        elif path.is_dir():
            found = (inner for inner in sorted(path.rglob("*")) if not inner.is_dir())
            yield from ((str(inner), inner) for inner in found if not _hidden(inner.relative_to(path)))
        else:
            yield name, path


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _read(name: str, path: Path | None) -> bytes | None:
    """Return the bytes of a file, or say on standard error why not."""
    trouble = ""
    octets = b""
    try:
        if path is None:
            octets = sys.stdin.buffer.read(MAX_FILE + 1)
        else:
            with path.open("rb") as source:
                octets = source.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        trouble = getattr(error, "strerror", None) or "is no file name"
    if len(octets) > MAX_FILE:
        trouble = f"is larger than {MAX_FILE // 1024 // 1024} MiB"
    elif not trouble and not octets.strip():
        trouble = "is empty"
    if not trouble:
        return octets
    shown = name.encode("utf-8", "replace").decode()
    complaints.print(f"{shown}: {trouble}", style="red", highlight=False, soft_wrap=True, markup=False)
    return None
