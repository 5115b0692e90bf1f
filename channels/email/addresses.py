"""Mailboxes found in reports and free text, in one spelling."""

import re
from collections.abc import Iterator
from email.utils import unquote

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
ADDRESS = re.compile(
    rf"(?P<local>\"[^\"\s@]{{1,64}}\"|{_ATEXT}{{1,128}}(?:\.{{1,4}}{_ATEXT}{{1,64}}){{0,20}}\.{{0,4}})"
    rf"@(?P<domain>(?:{_LABEL}\.){{1,10}}{_LABEL}|\[[\d.]{{7,15}}\])"
)
_WIDE = re.compile(r"(?P<local>[^\s<>@\"(),:;\[\]\\]{1,64})@(?P<domain>(?:[\w-]{1,63}\.){1,10}[\w-]{1,63})")
_BARE = re.compile(r"(?P<local>[A-Za-z0-9_.+=-]{1,64})@(?P<domain>[A-Za-z0-9-]{1,63})\b(?!\.\w)")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_UNITEXT = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_TYPE = re.compile(r"\s*([A-Za-z0-9-]{1,20})\s*[;:]\s*(?=\S)")
_X400 = re.compile(r"(?:dda:smtp|smtp|rfc-?822)\s*[=:]\s*([\w.+-]{1,64})\(a\)([\w.-]{1,200})", re.IGNORECASE)
_PREFIX = re.compile(r"^(?:smtp|rfc822|mailto|rcpt|email)=", re.IGNORECASE)
_LEADING = "'`*=|{}!#$%&/?^~-"


def read_address(text: str) -> str | None:
    """Read a recipient field: ``rfc822; Ana@Example.com``, ``utf-8; ...``, ``<ana@example.com>``, xtext and so on."""
    typed = _TYPE.match(text[:2000])
    kind = typed[1].lower() if typed else ""
    value = _X400.sub(r"\1@\2", text[typed.end() if typed else 0 : 2000])
    if kind in {"utf-8", "utf8"}:
        value = _UNITEXT.sub(_scalar, value)
    elif "+2B" in value or "+3D" in value or ("+40" in value and "@" not in value):
        value = _XTEXT.sub(lambda octet: chr(int(octet[1], 16)), value)
    for shape in (_WIDE, ADDRESS) if not value.isascii() else (ADDRESS, _BARE):
        if found := shape.search(value):
            return spelled(found)
    return None


def addresses_in(text: str) -> Iterator[str]:
    """Yield the mailboxes of a text in the order they stand in."""
    for found in ADDRESS.finditer(text):
        yield spelled(found)


def spelled(found: re.Match[str]) -> str:
    """Return a mailbox as it is compared: lower case, no quotes that are not needed."""
    local = found["local"]
    if local.startswith('"'):
        inner = unquote(local)
        local = inner if re.fullmatch(rf"{_ATEXT}+(?:\.{_ATEXT}+)*", inner) else local
    else:
        local = _PREFIX.sub("", local.lstrip(_LEADING)) or local
    return f"{local}@{found['domain']}".lower()


def _scalar(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"
