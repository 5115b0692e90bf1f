"""Named queries: every SQL statement of the house stands in store/sql/<aggregate>.sql under a ``-- name:`` line."""

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

_NAME = re.compile(r"^--\s*name:\s*(\w+)\s*$", re.MULTILINE)


@cache
def queries(aggregate: str) -> dict[str, LiteralString]:
    """Return the named statements of one aggregate. Raises KeyError at use when a name does not exist."""
    text = files("outreach.store").joinpath("sql", f"{aggregate}.sql").read_text("utf-8")
    parts = _NAME.split(text)[1:]
    # psycopg wants literal strings so that nobody builds SQL from data; these come from files we ship.
    return {name: cast("LiteralString", body.strip()) for name, body in zip(parts[::2], parts[1::2], strict=True)}
