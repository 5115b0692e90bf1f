"""The capability table is the code's: the page that shows it is current."""

from pathlib import Path

from typer.testing import CliRunner

from channels.contract import Capability
from channels.matrix import COLUMNS, markdown, rows
from channels.registry import ADAPTERS
from outreach.cli import app

PAGE = Path(__file__).parents[2] / "docs" / "channels" / "README.md"


def test_every_capability_has_a_column_and_every_adapter_a_row() -> None:
    assert set(COLUMNS) == set(Capability)
    assert [name for name, _, _ in rows()] == list(ADAPTERS)


def test_the_page_shows_the_table_of_the_code() -> None:
    """Otherwise: put what `outreach channels --as-markdown` prints into docs/channels/README.md."""
    assert markdown() in PAGE.read_text("utf-8")


def test_every_adapter_is_named_on_a_page_of_its_own_or_in_the_first() -> None:
    pages = "".join(path.read_text("utf-8") for path in PAGE.parent.glob("*.md"))
    assert [name for name in ADAPTERS if f"`{name}`" not in pages] == []


def test_the_command_prints_it() -> None:
    shown = CliRunner().invoke(app, ["channels", "--as-markdown"])
    assert (shown.exit_code, shown.output) == (0, markdown())
    assert '"twilio_sms"' in CliRunner().invoke(app, ["channels", "--json"]).output
