"""Email addresses as a lender writes them: syntax only, no look-up, one spelling for one mailbox."""

import re
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

MAX_WRITTEN = 254
"""Longest mailbox that can be delivered to (characters; RFC 5321 section 4.5.3.1.3, less the angle brackets)."""

# The common shape of RFC 5321 Dot-string. Whatever does not match takes the slow and thorough way.
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+'-]+(?:\.[A-Za-z0-9_+'-]+)*\Z")
_MAX_LOCAL = 64


class UnreadableMailbox(ValueError):  # noqa: N818 - reads as what it is where it is caught
    """The text is no mailbox. Its text completes "the address ..." and never quotes the address."""


def read_mailbox(text: str) -> str:
    """Return the mailbox with its domain in lower case. Raises UnreadableMailbox.

    Domains under .test are taken: they are reserved for trying things out (RFC 2606).
    """
    if len(text) > MAX_WRITTEN:
        raise UnreadableMailbox(f"is longer than {MAX_WRITTEN} characters")
    local, at, domain = text.rpartition("@")
    if not at:
        raise UnreadableMailbox("has no @")
    if _PLAIN_LOCAL.match(local) and len(local) <= _MAX_LOCAL:
        return f"{local}@{_domain(domain)}"
    return _thorough(text)


@lru_cache(maxsize=4096)
def _domain(domain: str) -> str:
    return _thorough(f"x@{domain}").rpartition("@")[2]


def _thorough(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        # The library's words quote parts of the address, so they stop here.
        raise UnreadableMailbox("is not of the form name@domain") from None
