"""Import a book: stream the file, stage the sound lines, settle conflicts, put them in by batches, report the rest."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

import orjson

from outreach.domain.book import FACTS, BookEntry, Conflict, Defect, Tallies, Tally
from outreach.flows.book_file import BOOK, BookFile, Form

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

BATCH = 5_000
"""Lines staged, and borrowers put in, at a time. Memory does not grow with the file."""

_CONFLICTS = {
    "differs": "differs between the lines of one borrower; none of them was taken",
    "repeated": "stands on more than one line",
    "other_borrower": "belongs to another borrower already",
    "erased": "belongs to a borrower whose data was erased on request",
    "unknown": "is not known; import the book first",
    "recorded": "was recorded before with something else than its outcome changed; it stays as it was",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is. ``phase`` is ``reading`` (bytes of the file) or ``writing`` (batches)."""

    phase: str
    done: int
    total: int


@dataclass(slots=True)
class Summary:
    """What an import did, or with ``dry_run`` would have done.

    ``lines`` counts records, ``rejected`` those not taken; ``reasons`` counts defects by field and reason;
    ``disputed_zones`` counts lines whose stated time zone is not one of the address (all candidates were kept).
    """

    dry_run: bool
    lines: int = 0
    rejected: int = 0
    disputed_zones: int = 0
    facts: Tallies = field(default_factory=lambda: {name: Tally() for name in FACTS})
    reasons: Counter[str] = field(default_factory=Counter)


class Staged(Protocol[T_contra]):
    """A file between disk and store. Nothing of it is seen by anybody else until ``apply``."""

    async def stage(self, entries: Iterable[T_contra]) -> None:
        """Take sound lines in."""
        ...

    def conflicts(self) -> AsyncIterator[Conflict]:
        """Take out, and yield in order, the lines that contradict each other or what is stored."""
        ...

    async def batches(self, size: int) -> int:
        """Divide the lines that are left by ``size`` borrowers; returns the number of batches."""
        ...

    async def compare(self, batch: int) -> Tallies:
        """Count what ``apply`` would do; changes nothing."""
        ...

    async def apply(self, batch: int, at: datetime) -> Tallies:
        """Put one batch in, in one transaction, opening a case for each new account."""
        ...


class Staging(Protocol[T_contra]):
    """Where a file goes."""

    def staging(self) -> AbstractAsyncContextManager[Staged[T_contra]]:
        """Open an empty staging area; it is gone after the block."""
        ...


def _quiet(_: Progress) -> None:
    """Take no notice."""


async def import_book(
    path: Path,
    store: Staging[BookEntry],
    at: datetime,
    *,
    rejects: Path | None = None,
    dry_run: bool = False,
    progress: Callable[[Progress], None] = _quiet,
) -> Summary:
    """Bring the book at ``path`` in. Idempotent: bringing it in again changes nothing.

    ``rejects`` is written anew, one JSON object a defect, without personal values. With ``dry_run`` everything is read
    and compared and nothing is written but ``rejects``. Raises BookFileError when the file cannot be read at all;
    nothing was written then.
    """
    return await import_file(path, BOOK, store, at, Summary(dry_run), rejects, progress)


async def import_file(
    path: Path,
    form: Form[T],
    store: Staging[T],
    at: datetime,
    summary: Summary,
    rejects: Path | None = None,
    progress: Callable[[Progress], None] = _quiet,
) -> Summary:
    """Bring a file of any form in, as ``import_book`` says; ``summary`` is filled and returned."""
    file = BookFile(path, at, form)
    with ExitStack() as stack:
        out = stack.enter_context(rejects.open("wb")) if rejects else None
        async with store.staging() as staged:
            await _read(file, staged, summary, out, progress)
            async for conflict in staged.conflicts():
                _reject([_as_defect(conflict)], summary, out)
            total = await staged.batches(BATCH)
            for batch in range(total):
                tallies = await (staged.compare(batch) if summary.dry_run else staged.apply(batch, at))
                for name, tally in tallies.items():
                    summary.facts[name].add(tally)
                progress(Progress("writing", batch + 1, total))
    return summary


async def _read(
    file: BookFile[T],
    staged: Staged[T],
    summary: Summary,
    out: BinaryIO | None,
    progress: Callable[[Progress], None],
) -> None:
    entries: list[T] = []
    for outcome in file.entries():
        summary.lines += 1
        if isinstance(outcome, list):
            _reject(outcome, summary, out)
        else:
            summary.disputed_zones += isinstance(outcome, BookEntry) and outcome.zone_disputed
            entries.append(outcome)
        if len(entries) >= BATCH:
            await staged.stage(entries)
            entries.clear()
        if summary.lines % 1_000 == 0:
            progress(Progress("reading", file.done, file.size))
    await staged.stage(entries)
    progress(Progress("reading", file.size, file.size))


def _reject(defects: Iterable[Defect], summary: Summary, out: BinaryIO | None) -> None:
    summary.rejected += 1
    for defect in defects:
        summary.reasons[f"{defect.field}: {defect.reason}" if defect.field else defect.reason] += 1
        if out is not None:
            out.write(orjson.dumps(asdict(defect), option=orjson.OPT_APPEND_NEWLINE))


def _as_defect(conflict: Conflict) -> Defect:
    where = f"compare line {conflict.other_line}" if conflict.other_line else ""
    return Defect(conflict.line, conflict.field, "", _CONFLICTS[conflict.code], where)
