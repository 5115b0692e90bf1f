"""A small IMAP server on a real socket: one account, folders in memory, what a poller needs of RFC 3501 and no more."""

import re
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "intake", "s3cret pass"


@dataclass
class Stored:
    """One mail in a folder."""

    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)


@dataclass
class Folder:
    """Mails by UID."""

    validity: int = 1
    following: int = 1
    mails: list[Stored] = field(default_factory=list)

    def add(self, raw: bytes, flags: set[str] | None = None) -> int:
        self.mails.append(Stored(self.following, raw, flags or set()))
        self.following += 1
        return self.following - 1


class ImapServer(socketserver.ThreadingTCPServer):
    """Listens on a free port of the loopback until it is closed."""

    allow_reuse_address = True
    daemon_threads = True
    name: ClassVar[str] = "small"

    def __init__(self, context: ssl.SSLContext | None = None, *, can_move: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.context = context
        self.capabilities = "IMAP4rev1 UIDPLUS MOVE" if can_move else "IMAP4rev1"
        self.folders = {"INBOX": Folder(), "Done": Folder()}
        self.said: list[str] = []
        self.answers: Callable[[str], str | None] = lambda _: None
        self.lock = threading.Lock()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def add(self, raw: bytes) -> int:
        """Put a mail into the inbox, as a mail system does; returns its UID."""
        with self.lock:
            return self.folders["INBOX"].add(raw)

    def flags(self, folder: str = "INBOX") -> list[set[str]]:
        """Return the flags of every mail of a folder, in order."""
        with self.lock:
            return [set(each.flags) for each in self.folders[folder].mails]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up."""


@contextmanager
def imap_server(context: ssl.SSLContext | None = None, *, can_move: bool = True) -> Iterator[ImapServer]:
    """Run the small server."""
    with ImapServer(context, can_move=can_move) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Session(socketserver.StreamRequestHandler):
    """One connection: plain, or TLS from the first octet when the server has a certificate."""

    server: ImapServer
    folder: Folder

    def setup(self) -> None:
        if self.server.context is not None:
            self.request = self.server.context.wrap_socket(
                self.request, server_side=True, do_handshake_on_connect=False
            )
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def handle(self) -> None:
        with suppress(OSError):
            self._talk()

    def _talk(self) -> None:
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        self._say("* OK ready")
        while line := self.rfile.readline():
            tag, _, rest = line.decode("utf-8").strip().partition(" ")
            self.server.said.append(re.sub(r"^(LOGIN \S+).*", r"\1", rest))
            forced = self.server.answers(rest)
            if forced == "hang up":
                return
            if forced is not None:
                self._say(f"{tag} {forced}")
                continue
            with self.server.lock:
                ended = self._do(rest)
            self._say(f"{tag} {ended}")
            if rest.upper() == "LOGOUT":
                return

    def _say(self, line: str | bytes) -> None:
        self.wfile.write((line.encode() if isinstance(line, str) else line) + b"\r\n")

    def _do(self, command: str) -> str:
        verb, _, rest = command.partition(" ")
        if verb == "UID":
            verb, _, rest = rest.partition(" ")
        work = getattr(self, f"_{verb.lower()}", None)
        return str(work(rest)) if work else "BAD what?"

    def _capability(self, _: str) -> str:
        self._say(f"* CAPABILITY {self.server.capabilities}")
        return "OK done"

    def _login(self, rest: str) -> str:
        return "OK in" if rest == f'{USER} "{PASSWORD}"' else "NO [AUTHENTICATIONFAILED] no"

    def _select(self, rest: str) -> str:
        folder = self.server.folders.get(rest.strip('"'))
        if folder is None:
            return "NO no such folder"
        self.folder = folder
        self._say(f"* {len(folder.mails)} EXISTS")
        self._say(f"* OK [UIDVALIDITY {folder.validity}] valid")
        self._say(f"* OK [UIDNEXT {folder.following}] next")
        return "OK [READ-WRITE] selected"

    def _named(self, uids: str) -> list[Stored]:
        wanted: set[int] = set()
        for piece in uids.split(","):
            low, _, high = piece.partition(":")
            wanted |= set(range(int(low), int(high or low) + 1))
        return [each for each in self.folder.mails if each.uid in wanted]

    def _search(self, rest: str) -> str:
        _, uids, *without = rest.split()
        flags = {"\\" + word.removeprefix("UN").capitalize() for word in without}
        found = [str(each.uid) for each in self._named(uids) if not each.flags & flags]
        self._say(" ".join(["* SEARCH", *found]))
        return "OK done"

    def _fetch(self, rest: str) -> str:
        asked = re.fullmatch(r"(\d+) \(UID BODY\.PEEK\[\]<0\.(\d+)>\)", rest)
        assert asked, rest
        for each in self._named(asked[1]):
            raw = each.raw[: int(asked[2])]
            self._say(f"* 1 FETCH (UID {each.uid} BODY[]<0> {{{len(raw)}}}".encode() + b"\r\n" + raw + b")")
        return "OK done"

    def _store(self, rest: str) -> str:
        uids, _, flag = rest.split()
        for each in self._named(uids):
            each.flags.add(flag.strip("()"))
        return "OK done"

    def _copy(self, rest: str) -> str:
        uids, _, name = rest.partition(" ")
        target = self.server.folders.get(name.strip('"'))
        if target is None:
            return "NO [TRYCREATE] no such folder"
        for each in self._named(uids):
            target.add(each.raw, set(each.flags))
        return "OK done"

    def _move(self, rest: str) -> str:
        done = self._copy(rest)
        if done.startswith("OK"):
            gone = {each.uid for each in self._named(rest.partition(" ")[0])}
            self.folder.mails = [each for each in self.folder.mails if each.uid not in gone]
        return done

    def _logout(self, _: str) -> str:
        self._say("* BYE")
        return "OK bye"


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for the loopback that signs itself; returns its file and its key's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(start).not_valid_after(start + timedelta(days=36_500)).add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    files = folder / "server.pem", folder / "server.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def serving_tls(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a server's TLS with a certificate of its own, and the file a client trusts it by."""
    cert, key = certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert
