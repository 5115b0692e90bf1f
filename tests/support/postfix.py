"""A private Postfix between our email adapter and a host that refuses, asks for patience, or takes mail."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from .debian import program

# A shorter backoff than 2 s ends within the second of the refusal, and a mail found while its delivery agent still
# holds it is put off for minutes. Kept connections would outlive the far end of the test before.
_MAIN = """
compatibility_level = 3.6
queue_directory = {base}/queue
data_directory = {base}/data
myhostname = relay.example.net
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
default_transport = smtp:[127.0.0.1]:{far}
transport_maps = inline:{{ mail.example.com=lmtp:inet:127.0.0.1:{back} }}
recipient_delimiter = +
smtp_dns_support_level = disabled
smtp_connection_cache_on_demand = no
lmtp_connection_cache_on_demand = no
minimal_backoff_time = 2s
maximal_backoff_time = 2s
queue_run_delay = 1s
maillog_file = {base}/log
maillog_file_prefixes = {base}
"""
_SERVICES = (
    "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr", "rewrite unix - - n - - trivial-rewrite",
    "bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce",
    "smtp unix - - n - - smtp", "lmtp unix - - n - - lmtp", "error unix - - n - - error", "retry unix - - n - - error",
    "anvil unix - - n - 1 anvil", "postlog unix-dgram n - n - 1 postlogd",
)  # fmt: skip
PATIENCE = 60.0
"""Seconds after which a test gives up waiting for a mail system."""


@dataclass
class FarEnd:
    """The host of the recipients: what it answers is in their names. It keeps the mails it took."""

    taken: list[Envelope] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer by the first word of a mailbox: nobody, full, grey."""
        again = address in self.asked
        self.asked.append(address)
        match address.partition("@")[0].partition(".")[0]:
            case "nobody":
                return f"550 5.1.1 <{address}>: Recipient address rejected: User unknown in virtual mailbox table"
            case "full":
                return f"552 5.2.2 <{address}>: user is over quota"
            case "grey" if not again:
                return "451 4.7.1 Greylisting in action, please come back later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Refuse the words of a mail to a strict mailbox; keep any other."""
        if any(address.startswith("strict") for address in envelope.rcpt_tos):
            return "554 5.7.1 Message rejected: it looks like unsolicited bulk mail"
        async with self._came:
            self.taken.append(envelope)
            self._came.notify_all()
        return "250 2.0.0 OK"

    async def got(self, recipient: str) -> Envelope:
        """Wait for the first mail to a mailbox."""
        async with asyncio.timeout(PATIENCE), self._came:
            while True:
                for envelope in self.taken:
                    if recipient in envelope.rcpt_tos:
                        return envelope
                await self._came.wait()


@dataclass
class Relay:
    """A running Postfix: where it takes mail, where it hands on everybody's, and where it hands us ours (LMTP)."""

    port: int
    far_port: int
    back_port: int

    @asynccontextmanager
    async def far_end(self) -> AsyncIterator[FarEnd]:
        """Be the host of the recipients."""
        far = FarEnd()
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(far, hostname="mx.example.org", ident="ESMTP"), "127.0.0.1", self.far_port
        )
        try:
            yield far
        finally:
            server.close()


@contextmanager
def a_relay() -> Iterator[Relay]:
    """Start a Postfix of our own: own queue, own ports, nothing of the machine's is touched. Skips where it cannot."""
    postfix = program("postfix")
    if os.geteuid() != 0:
        pytest.skip("Postfix starts as root only")
    base = Path(tempfile.mkdtemp(prefix="outreach-postfix-"))
    relay = Relay(free_port(), free_port(), free_port())
    process = None
    try:
        _write(base, relay)
        process = subprocess.Popen(
            [postfix, "-c", str(base / "conf"), "start-fg"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        _await(relay.port, process)
        yield relay
    finally:
        _stop(base, process)
        shutil.rmtree(base, ignore_errors=True)


def free_port() -> int:
    """Return a port of the loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write(base: Path, relay: Relay) -> None:
    base.chmod(0o755)  # its processes run as another user
    for name in ("conf", "queue", "data"):
        (base / name).mkdir()
    shutil.chown(base / "data", "postfix")
    (base / "conf" / "main.cf").write_text(_MAIN.format(base=base, far=relay.far_port, back=relay.back_port))
    services = [f"127.0.0.1:{relay.port} inet n - n - - smtpd", *_SERVICES]
    (base / "conf" / "master.cf").write_text("\n".join(services) + "\n")


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until it answers. Skips the test where it ends instead."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > until:
                raise
        else:
            return
        with suppress(subprocess.TimeoutExpired):
            pytest.skip(f"Postfix does not start here (exit code {process.wait(0.05)})")


def _stop(base: Path, process: subprocess.Popen[bytes] | None) -> None:
    """End the master, which ends its own; its number is in a file of its queue."""
    if process is None:
        return
    try:
        os.kill(int((base / "queue" / "pid" / "master.pid").read_text()), signal.SIGTERM)
    except (OSError, ValueError):
        process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
