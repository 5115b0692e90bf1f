"""Files of mail: one mail, or an mbox of many (RFC 4155)."""

import re
from collections.abc import Iterator

# "From ", who, and a date with time and year: a line of a letter that begins with "From" has none.
_SEPARATOR = re.compile(rb"^From \S[^\n]{0,300}\d{1,2}:\d{2}(?::\d{2})?[^\n]{0,40}\d{4}[^\n]{0,12}\n", re.MULTILINE)
_HEADER = re.compile(rb"(?:>?From [^\n]*\n)?[!-9;-~]{1,80}[ \t]*:")
_BOUNDARY = re.compile(
    rb"^content-type[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*?boundary=\"?([^\"\n;]{1,200})", re.MULTILINE | re.IGNORECASE
)


def mails_in(octets: bytes, *, single: bool = False) -> Iterator[bytes]:
    """Yield the mails of a file; an empty one holds none. ``single``: it holds one, whatever its lines look like."""
    if not octets.strip():
        return
    text = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if single or not text.lstrip().startswith(b"From "):
        yield octets
        return
    starts = list(_starts(text)) or [0]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield re.sub(rb"(?m)^>(>*From )", rb"\1", text[start:end])


def _starts(text: bytes) -> Iterator[int]:
    """Find where mails begin: after a blank line, before a header, and not within a mail whose parts are still open."""
    open_until, last = b"", 0
    for found in _SEPARATOR.finditer(text):
        start, after = found.span()
        follows = text[max(0, start - 2) : start] in {b"", b"\n", b"\n\n"}
        if not follows or not _HEADER.match(text, after):
            continue
        if open_until and open_until not in text[last:start]:
            continue
        yield start
        head = text[after : after + 20_000].partition(b"\n\n")[0]
        boundary = _BOUNDARY.search(head)
        open_until, last = (b"--" + boundary[1].strip() + b"--" if boundary else b""), start
