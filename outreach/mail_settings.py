"""Settings of mail intake: where to listen for mail and which mailbox to read, from the environment, checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from channels.email.imap import MailboxOptions, Tls
from channels.email.listener import ListenerOptions
from outreach.settings import SettingsError, choice, number

_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_LISTEN = re.compile(r"(lmtp|smtp)://")
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,1000}")
_LARGEST = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class MailIntake:
    """By which ways mail comes in: posted and signed, delivered to the listener, fetched from a mailbox."""

    posted: bool
    listener: ListenerOptions | None
    mailbox: MailboxOptions | None


def load_mail_intake(env: Mapping[str, str]) -> MailIntake:
    """Read every way. Raises SettingsError."""
    return MailIntake(bool(env.get("OUTREACH_INBOUND_MAIL_SECRET")), load_listener(env), load_mailbox(env))


def load_listener(env: Mapping[str, str]) -> ListenerOptions | None:
    """Read where to listen and for whom; None when there is no listener. Raises SettingsError."""
    text = env.get("OUTREACH_MAIL_LISTEN", "")
    if not text:
        return None
    host, port = _place(text)
    networks = _networks(env.get("OUTREACH_MAIL_LISTEN_FROM", ""))
    certificate, key = env.get("OUTREACH_MAIL_LISTEN_CERT", ""), env.get("OUTREACH_MAIL_LISTEN_KEY", "")
    if not _is_loopback(host):
        if not networks:
            raise SettingsError("OUTREACH_MAIL_LISTEN_FROM: expected the networks that may deliver, such as "
                                "10.0.0.5/32, since OUTREACH_MAIL_LISTEN is not on the loopback")  # fmt: skip
        if not certificate:
            raise SettingsError("OUTREACH_MAIL_LISTEN_CERT: expected a PEM file, since OUTREACH_MAIL_LISTEN is not on "
                                "the loopback")  # fmt: skip
    if bool(certificate) != bool(key):
        raise SettingsError("OUTREACH_MAIL_LISTEN_KEY: expected together with OUTREACH_MAIL_LISTEN_CERT")
    options = ListenerOptions(
        host=host,
        port=port,
        lmtp=text.startswith("lmtp://"),
        peers=networks or _LOOPBACK,
        max_bytes=_max_bytes(env),
        certificate=Path(certificate) if certificate else None,
        key=Path(key) if key else None,
    )
    try:
        options.tls_context()
    except OSError as error:
        raise SettingsError(f"OUTREACH_MAIL_LISTEN_CERT: expected a certificate and its key in PEM files that can be "
                            f"read ({type(error).__name__})") from None  # fmt: skip
    return options


def load_mailbox(env: Mapping[str, str]) -> MailboxOptions | None:
    """Read the account and folder of a mailbox; None when no mailbox is read. Raises SettingsError."""
    host = env.get("OUTREACH_IMAP_HOST", "")
    if not host:
        return None
    tls: Tls = choice(env, "OUTREACH_IMAP_TLS", "implicit", ("implicit", "starttls", "none"))
    if tls == "none" and not _is_loopback(host):
        raise SettingsError("OUTREACH_IMAP_TLS: expected implicit or starttls; none is for a loopback host only")
    for name in ("OUTREACH_IMAP_USERNAME", "OUTREACH_IMAP_PASSWORD"):
        if not _PRINTABLE.fullmatch(env.get(name, "")):
            raise SettingsError(f"{name}: expected, in printable ASCII, since OUTREACH_IMAP_HOST is set")
    folder, move_to = env.get("OUTREACH_IMAP_FOLDER", "INBOX"), env.get("OUTREACH_IMAP_MOVE_TO", "")
    for name, value in (("OUTREACH_IMAP_FOLDER", folder), ("OUTREACH_IMAP_MOVE_TO", move_to or "x")):
        if not _PRINTABLE.fullmatch(value):
            raise SettingsError(f"{name}: expected a folder name in ASCII (modified UTF-7 for others)")
    if move_to == folder:
        raise SettingsError("OUTREACH_IMAP_MOVE_TO: expected another folder than OUTREACH_IMAP_FOLDER")
    return MailboxOptions(
        host=host,
        port=number(env, "OUTREACH_IMAP_PORT", 993 if tls == "implicit" else 143, 1, 65_535),
        tls=tls,
        username=env["OUTREACH_IMAP_USERNAME"],
        password=env["OUTREACH_IMAP_PASSWORD"],
        folder=folder,
        move_to=move_to,
        ca_file=env.get("OUTREACH_IMAP_CA_FILE") or None,
        max_bytes=_max_bytes(env),
        every_seconds=number(env, "OUTREACH_IMAP_EVERY_SECONDS", 60, 5, 3600),
    )


def _max_bytes(env: Mapping[str, str]) -> int:
    return number(env, "OUTREACH_MAIL_MAX_BYTES", 10 * 1024 * 1024, 64 * 1024, _LARGEST)


def _place(text: str) -> tuple[str, int]:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not _LISTEN.match(text) or not host or port is None or parts.path not in {"", "/"} or parts.query:
        raise SettingsError("OUTREACH_MAIL_LISTEN: expected lmtp://host:port or smtp://host:port")
    return host, port


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())
    except ValueError:
        raise SettingsError("OUTREACH_MAIL_LISTEN_FROM: expected networks separated by commas, such as "
                            "10.0.0.5/32,192.0.2.0/24") from None  # fmt: skip


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
