"""What a provider's code can mean to us: versioned data, checked when it is read, and what follows from each class."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError

from channels import errors
from channels.options import Part, wrong_fields

DATA = Path(__file__).parent / "data"


class Kind(StrEnum):
    """What a code says about the attempt, the person and the lane: the ``class`` of the data."""

    OPT_OUT = "opt_out"
    BAD_NUMBER = "bad_number"
    BLOCKED = "blocked"
    NOT_SERVED = "not_served"
    MISCONFIGURED = "configuration"
    TRANSIENT = "transient"
    QUOTA = "quota"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"


RAISES: dict[Kind, type[errors.SendError]] = {
    Kind.OPT_OUT: errors.OptedOut,
    Kind.BAD_NUMBER: errors.BadAddress,
    Kind.BLOCKED: errors.ContentRefused,
    Kind.NOT_SERVED: errors.Unsupported,
    Kind.MISCONFIGURED: errors.Misconfigured,
    Kind.TRANSIENT: errors.Throttled,
    Kind.QUOTA: errors.Throttled,
    Kind.AMBIGUOUS: errors.OutcomeUnknown,
    Kind.UNKNOWN: errors.Rejected,
}
"""What a refusal of a create request becomes."""

NEWS: dict[Kind, str] = {kind: error.code for kind, error in RAISES.items()} | {
    # In a receipt the provider had taken it: a transient failure is not a request to slow down.
    Kind.TRANSIENT: errors.Unavailable.code,
}
"""The ``error_class`` of a receipt that brings this kind."""


@dataclass(frozen=True, slots=True)
class Row:
    """One code. ``meaning`` is safe to show: it never quotes an address or a body.

    ``wait_seconds`` is how long the refusal is known to last, where the provider's documents say. ``decided_by`` names
    the data and its version: it is kept with what the row decided.
    """

    kind: Kind
    meaning: str
    source: str = ""
    wait_seconds: float | None = None
    decided_by: str = ""

    @property
    def news(self) -> str:
        """The ``error_class`` of a receipt that brings this code."""
        return NEWS[self.kind]

    def refusal(self, code: str, retry_after: float | None = None) -> errors.SendError:
        """Return the error that a refusal with this code is."""
        wait = self.wait_seconds if retry_after is None else retry_after
        error = RAISES[self.kind](self.meaning, provider_code=code, retry_after=wait)
        error.decided_by = self.decided_by
        return error


@dataclass(frozen=True, slots=True)
class CodeTables:
    """The codes of one provider. ``tables`` are by name: one provider may word refusals and receipts differently."""

    provider: str
    version: str
    tables: Mapping[str, Mapping[str, Row]]

    @property
    def decided_by(self) -> str:
        """How an attempt names the data: ``twilio 2026-11-22``."""
        return f"{self.provider} {self.version}"

    def row(self, code: str, table: str = "codes") -> Row:
        """Return what a code means; a code that is not in the data is ``Kind.UNKNOWN``."""
        return self.tables[table].get(code) or replace(UNLISTED, decided_by=self.decided_by)


UNLISTED = Row(Kind.UNKNOWN, "a code that is not in the table")


class _RowBlock(Part):
    kind: Annotated[Kind, Field(alias="class")]
    meaning: Annotated[str, Field(min_length=3, max_length=120)]
    source: Annotated[str, Field(pattern=r"^https://[^\s]+$")]
    wait_seconds: Annotated[float, Field(gt=0, le=7 * 86_400)] | None = None


class _File(Part):
    provider: Annotated[str, Field(pattern=r"^[a-z]{2,20}$")]
    version: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}(\.\d+)?$")]
    tables: Annotated[dict[str, Annotated[dict[str, _RowBlock], Field(min_length=1)]], Field(min_length=1)]


class _OnceEach(yaml.SafeLoader):
    """Refuses a key that is given twice: of two rows for one code, YAML would silently keep the second."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen = set[object]()
    for key, _ in node.value:
        if key.value in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key.value} is given twice", key.start_mark)
        seen.add(key.value)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_OnceEach.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load_codes(path: Path) -> CodeTables:
    """Read and check one provider's codes. Raises ConfigError with file and field of everything that is wrong."""
    try:
        read = _File.model_validate(yaml.load(path.read_text("utf-8"), _OnceEach))  # noqa: S506 - a SafeLoader
    except (OSError, UnicodeDecodeError) as error:
        raise errors.ConfigError(f"{path}: cannot be read: {type(error).__name__}") from None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise errors.ConfigError(f"{path}{line}: {error.problem}") from None
    except ValidationError as error:
        wrong = [f"{path} {field.removeprefix('.')}: {text}" for field, text in wrong_fields(error, _File)]
        raise errors.ConfigError("\n".join(wrong)) from None
    named = f"{read.provider} {read.version}"
    tables = {
        table: {code: Row(row.kind, row.meaning, row.source, row.wait_seconds, named) for code, row in rows.items()}
        for table, rows in read.tables.items()
    }
    return CodeTables(read.provider, read.version, tables)


def providers() -> list[str]:
    """Return the providers whose codes are shipped."""
    return sorted(path.stem for path in DATA.glob("*.yaml"))


@cache
def codes_of(provider: str) -> CodeTables:
    """Return the shipped codes of a provider. Raises ConfigError."""
    return load_codes(DATA / f"{provider}.yaml")
