"""The sandbox as one process: both listeners, the router, start and orderly stop."""

import asyncio
import base64
import hmac
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from channels.sandbox.aliyun import Aliyun
from channels.sandbox.calls import Calls
from channels.sandbox.carrier import Account, Carrier, settle_later
from channels.sandbox.clock import Agenda, CarrierClock
from channels.sandbox.control import Control
from channels.sandbox.deliveries import Deliveries
from channels.sandbox.faults import Faults
from channels.sandbox.gateway import Gateway
from channels.sandbox.http import Answer, HttpProtocol, Request
from channels.sandbox.mailroom import SandboxMailroom
from channels.sandbox.people import People
from channels.sandbox.problems import problem
from channels.sandbox.script import Script
from channels.sandbox.senders import Senders
from channels.sandbox.smtp import SmtpProtocol
from channels.sandbox.texts import Texts
from channels.sandbox.witness import Witness

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Options:
    """How to start. ``start`` makes the clock stepped; port 0 takes a free one."""

    http: Address
    smtp: Address
    log: Path | None
    script: Script
    account: Account
    secret: str
    seed: int
    start: datetime | None = None


class Router:
    """Finds who answers an HTTP request, and checks who asks."""

    def __init__(self, carrier: Carrier, texts: Texts, calls: Calls, control: Control, senders: Senders) -> None:
        account = carrier.account
        self._base = f"/2010-04-01/Accounts/{account.sid}/"
        self._messages = f"{self._base}Messages.json"
        credentials = base64.b64encode(f"{account.sid}:{account.token}".encode())
        self._authorization = b"Basic " + credentials
        self._faults = carrier.faults
        self._texts = texts
        self._calls = calls
        self._control = control
        self._aliyun = Aliyun(carrier, texts, senders)
        self._gateway = Gateway(carrier, texts, senders)

    def __call__(self, request: Request) -> Answer | Awaitable[Answer]:
        """Answer one request."""
        if request.path.startswith("/sandbox/"):
            return self._control.answer(request)
        answer = self._api(request)
        wait = self._faults.latency_seconds
        return settle_later(wait, answer) if wait else answer

    def _api(self, request: Request) -> Answer:
        if request.path == "/":
            return self._aliyun.answer(request)
        if request.path.startswith("/gateway/"):
            return self._gateway.answer(request)
        if not hmac.compare_digest(request.authorization, self._authorization):
            return problem(20003)
        if request.path == self._messages and request.method == "POST":
            return self._texts.create(request)
        if not request.path.startswith(self._base) or not request.path.endswith(".json"):
            return problem(20404)
        name, _, sid = request.path[len(self._base) : -len(".json")].partition("/")
        resource = self._texts if name == "Messages" else self._calls if name == "Calls" else None
        if resource is None:
            return problem(20404)
        return _one(resource, sid, request) if sid else _all(resource, request)


def _all(resource: Texts | Calls, request: Request) -> Answer:
    if request.method == "POST":
        return resource.create(request)
    return resource.shelf.page(request) if request.method == "GET" else problem(20004)


def _one(resource: Texts | Calls, sid: str, request: Request) -> Answer:
    if request.method == "GET":
        return resource.fetch(sid)
    if request.method == "POST":
        return resource.update(sid, request)
    return resource.delete(sid) if request.method == "DELETE" else problem(20004)


class SandboxServer:
    """The running sandbox. Use inside a running loop: ``start``, then ``stop``."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._connections: set[HttpProtocol] = set()
        self._mail_connections: set[SmtpProtocol] = set()
        self._servers: list[asyncio.Server] = []

    async def start(self) -> tuple[Address, Address]:
        """Listen; return the HTTP and SMTP addresses. Raises OSError when a port is taken."""
        options = self._options
        clock = CarrierClock(options.start)
        witness = Witness(clock, options.log)
        faults = Faults(options.seed)
        script = options.script
        people = People(
            options.seed, mix=script.mix, patterns=script.patterns, profiles=script.profiles, locale=script.locale
        )
        deliveries = Deliveries(
            clock=clock, witness=witness, faults=faults, auth_token=options.account.token, secret=options.secret
        )
        self._carrier = Carrier(options.account, script, clock, Agenda(clock), witness, faults, people, deliveries)
        senders = Senders(script)
        texts, calls = Texts(self._carrier, senders), Calls(self._carrier, senders)
        mailroom = SandboxMailroom(self._carrier)
        router = Router(self._carrier, texts, calls, Control(self._carrier, senders, texts, calls, mailroom), senders)
        loop = asyncio.get_running_loop()
        web = await loop.create_server(lambda: HttpProtocol(router, self._connections), *options.http, backlog=1024)
        self._servers.append(web)
        mail = await loop.create_server(lambda: SmtpProtocol(mailroom, self._mail_connections), *options.smtp)
        self._servers.append(mail)
        return web.sockets[0].getsockname()[:2], mail.sockets[0].getsockname()[:2]

    async def stop(self) -> None:
        """Close everything and write the log out."""
        for server in self._servers:
            server.close()
        for web in list(self._connections):
            web.close()
        for mail in list(self._mail_connections):
            mail.close()
        self._carrier.agenda.clear()
        await self._carrier.deliveries.close()
        self._carrier.witness.close()
