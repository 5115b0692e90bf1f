"""HMACs as providers write them, and comparison that takes the same time for every wrong guess."""

import base64
import hmac
from collections.abc import Iterable


def mac(secret: str, text: bytes, *, algorithm: str, encoding: str, prefix: str = "") -> str:
    """Sign ``text``: ``encoding`` is hex or base64, ``prefix`` stands before it (``sha256=``)."""
    digest = hmac.digest(secret.encode(), text, algorithm)
    return prefix + (digest.hex() if encoding == "hex" else base64.b64encode(digest).decode())


def same(given: str, wanted: Iterable[str]) -> bool:
    """Tell whether ``given`` is one of the wanted words; none is left out, so that time says nothing."""
    raw = given.encode("utf-8", "surrogatepass")
    return any([hmac.compare_digest(raw, each.encode()) for each in wanted if each])  # noqa: C419 - compares all
