"""Signs emails with DKIM (RFC 6376, relaxed/relaxed, rsa-sha256 or RFC 8463 ed25519-sha256), headers oversigned."""

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

SIGNED = (
    "from", "to", "subject", "date", "message-id", "reply-to", "list-unsubscribe", "list-unsubscribe-post",
    "auto-submitted", "feedback-id", "mime-version", "content-type", "content-transfer-encoding",
)  # fmt: skip
"""What the signature covers where it is there; RFC 8058 asks for both List-Unsubscribe headers."""
OVERSIGNED = ("from", "to", "subject", "date", "reply-to", "message-id")
"""Named once more than they stand in the email, so that nobody can add a second one below the signature."""
SHORTEST_RSA = 1024
_WSP = re.compile(rb"[ \t]+")
_WSP_END = re.compile(rb"[ \t]+(?=\r\n|\Z)")
_FOLD = re.compile(rb"\r\n(?=[ \t])")

Key = RSAPrivateKey | Ed25519PrivateKey


class KeyProblemError(ValueError):
    """A private key that cannot sign; the text never holds any of it."""


@dataclass(frozen=True, slots=True)
class Signer:
    """One domain's key. The public half stands in DNS at ``selector._domainkey.domain``."""

    domain: str
    selector: str
    key: Key

    @classmethod
    def of(cls, domain: str, selector: str, pem: str) -> "Signer":
        """Read a PEM private key (PKCS#1 or PKCS#8). Raises KeyProblemError."""
        try:
            key = load_pem_private_key(pem.replace("\\n", "\n").encode("ascii"), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm, UnicodeEncodeError):
            raise KeyProblemError("not an unencrypted PEM private key") from None
        if isinstance(key, Ed25519PrivateKey):
            return cls(domain, selector, key)
        if not isinstance(key, RSAPrivateKey):
            raise KeyProblemError("must be an RSA or an Ed25519 key")
        if key.key_size < SHORTEST_RSA:
            raise KeyProblemError(f"an RSA key must have at least {SHORTEST_RSA} bits (RFC 8301)")
        return cls(domain, selector, key)

    def __repr__(self) -> str:
        """Name the key without showing it."""
        return f"Signer({self.selector}._domainkey.{self.domain})"

    def sign(self, raw: bytes, at: datetime) -> bytes:
        """Return ``raw`` (CRLF line ends) with a DKIM-Signature above it. ``at`` is an aware instant."""
        head, _, body = raw.partition(b"\r\n\r\n")
        present = _headers(head)
        names = [name for name in SIGNED if name in present]
        names += [name for name in OVERSIGNED if name in SIGNED]
        algorithm = "ed25519-sha256" if isinstance(self.key, Ed25519PrivateKey) else "rsa-sha256"
        digest = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode("ascii")
        mine = (
            f"v=1; a={algorithm}; c=relaxed/relaxed; d={self.domain}; s={self.selector};\r\n"
            f" t={int(at.timestamp())}; h={_folded(names)};\r\n"
            f" bh={digest};\r\n b="
        ).encode("ascii")
        signed = b"".join(present[name] + b"\r\n" for name in dict.fromkeys(names) if name in present)
        signature = base64.b64encode(self._signature(signed + relaxed_header(b"DKIM-Signature", mine)))
        folded = b"\r\n ".join(signature[start : start + 72] for start in range(0, len(signature), 72))
        return b"DKIM-Signature: " + mine + folded + b"\r\n" + raw

    def _signature(self, text: bytes) -> bytes:
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(text, PKCS1v15(), SHA256())
        return self.key.sign(hashlib.sha256(text).digest())  # RFC 8463 section 3: Ed25519 signs the digest


def _headers(head: bytes) -> dict[str, bytes]:
    """Return canonical headers by name. Our emails carry each header once."""
    found = {}
    for line in _FOLD.sub(b"", head).split(b"\r\n"):
        name, _, value = line.partition(b":")
        found[name.decode("ascii").lower()] = relaxed_header(name, value)
    return found


def relaxed_header(name: bytes, value: bytes) -> bytes:
    """Return a header in relaxed form, without its line end (RFC 6376 section 3.4.2)."""
    return name.strip().lower() + b":" + _WSP.sub(b" ", _FOLD.sub(b"", value)).strip(b" \t")


def relaxed_body(body: bytes) -> bytes:
    """Return a body in relaxed form (RFC 6376 section 3.4.4): ends of lines trimmed, spaces joined, one line end."""
    text = _WSP.sub(b" ", _WSP_END.sub(b"", body)).rstrip(b"\r\n")
    return text + b"\r\n" if text else b""


def _folded(names: list[str]) -> str:
    lines = [""]
    for place, name in enumerate(names):
        word = name if place == len(names) - 1 else f"{name}:"
        if lines[-1] and len(lines[-1]) + len(word) > 66:
            lines.append(word)
        else:
            lines[-1] += word
    return "\r\n ".join(lines)
