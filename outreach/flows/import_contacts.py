"""Import contacts that other systems and agencies made: streamed, staged, put in by batches, the rest reported."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from outreach.domain.book import Tally
from outreach.domain.contacts import ContactEntry
from outreach.flows.book_file import CONTACTS
from outreach.flows.import_book import Progress, Staging, Summary, import_file


def _quiet(_: Progress) -> None:
    """Take no notice."""


async def import_contacts(
    path: Path,
    store: Staging[ContactEntry],
    at: datetime,
    *,
    rejects: Path | None = None,
    dry_run: bool = False,
    progress: Callable[[Progress], None] = _quiet,
) -> Summary:
    """Bring the contacts at ``path`` in, as ``import_book`` does a book. Idempotent on maker and identifier.

    A contact that is known already only moves its outcome forward. Raises BookFileError when the file cannot be read.
    """
    summary = Summary(dry_run, facts={"contacts": Tally()})
    return await import_file(path, CONTACTS, store, at, summary, rejects, progress)
