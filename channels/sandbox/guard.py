"""Who may look at handsets and drive the carrier: people and programs on this machine, unless told otherwise."""

import hmac
import secrets
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from channels.sandbox.http import Request


class Guard:
    """Turns away other machines, names that only seem to be this machine, and forms of other sites.

    ``proof`` stands in every form of ours. With ``anyone`` other machines may come too; other sites' forms may not.
    """

    def __init__(self, *, anyone: bool) -> None:
        self._anyone = anyone
        self.proof = secrets.token_urlsafe(16)

    def refusal(self, request: Request) -> str | None:
        """Say why a request is turned away, or None."""
        headers = request.headers
        if not self._anyone and not (is_loopback(request.peer) and is_loopback(_name(headers.get("host", "")))):
            return "only for this machine; start the carrier with --open to let others in"
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != headers.get("host", ""):
            return "a page of another site asked for this"
        if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"} and request.method != "GET":
            return "a page of another site asked for this"
        return None

    def proven(self, form: Mapping[str, str]) -> bool:
        """Say whether a form is one of ours."""
        return hmac.compare_digest(form.get("proof", "").encode(), self.proof.encode())


def is_loopback(name: str) -> bool:
    """Say whether an address or a host's name is this machine's own."""
    if name == "localhost":
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
