"""What every command shares: output for people or machines, settings, instants, files of lines."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import orjson
import typer
from rich.console import Console

from outreach.logging import configure_logging
from outreach.settings import Settings, SettingsError, load_settings

console = Console()
complaints = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]

WRONG = 2
"""Exit code: the input or the configuration is wrong. 1 means that something was found or refused."""


def fail(text: str, code: int = WRONG) -> NoReturn:
    """Say what is wrong and end."""
    complaints.print(text, style="red", highlight=False, soft_wrap=True, markup=False)
    raise typer.Exit(code)


def print_json(value: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2).decode() + "\n")


def settings_or_fail() -> Settings:
    """Read the settings, or say what is wrong with them."""
    try:
        settings = load_settings()
    except SettingsError as error:
        fail(str(error))
    configure_logging("WARNING")
    return settings


def read_instant(text: str | None) -> datetime | None:
    """Read ``2027-03-01T21:30:00-05:00``; an instant needs its offset."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text!r} is not an instant; write 2027-03-01T21:30:00-05:00")
    if at.tzinfo is None:
        fail(f"{text!r} has no offset from UTC; write 2027-03-01T21:30:00-05:00 or ...Z")
    return at.astimezone(UTC)


def lines_of(path: Path | None) -> Iterator[bytes]:
    """Yield the lines of a file, or of standard input for ``-``."""
    if path is None or str(path) == "-":
        yield from sys.stdin.buffer
        return
    try:
        with path.open("rb") as source:
            yield from source
    except OSError as error:
        fail(f"{path}: {error.strerror}")
