"""The sandbox as one process: both listeners, the router, start and orderly stop."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from channels.sandbox.aliyun import Aliyun
from channels.sandbox.calls import Calls
from channels.sandbox.carrier import Account, Carrier, settle_later
from channels.sandbox.clock import Agenda, CarrierClock
from channels.sandbox.control import Control
from channels.sandbox.deliveries import Deliveries
from channels.sandbox.desk import Desk
from channels.sandbox.faults import Faults
from channels.sandbox.gateway import Gateway
from channels.sandbox.guard import Guard
from channels.sandbox.handset_pages import HOME, HandsetPages
from channels.sandbox.handsets import Handsets
from channels.sandbox.http import Answer, HttpProtocol, Request, Response
from channels.sandbox.keys import Keys
from channels.sandbox.lookup import PATH as LOOKUP
from channels.sandbox.lookup import look_up
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
    """How to start. ``start`` makes the clock stepped; port 0 takes a free one.

    ``anyone`` lets other machines use the pages and the control API too.
    """

    http: Address
    smtp: Address
    log: Path | None
    script: Script
    account: Account
    secret: str
    seed: int
    start: datetime | None = None
    anyone: bool = False


class Router:
    """Finds who answers an HTTP request, and checks who asks."""

    def __init__(
        self,
        carrier: Carrier,
        texts: Texts,
        calls: Calls,
        control: Control,
        senders: Senders,
        pages: HandsetPages,
        guard: Guard,
    ) -> None:
        account = carrier.account
        self._carrier = carrier
        self._pages = pages
        self._guard = guard
        self._base = f"/2010-04-01/Accounts/{account.sid}/"
        self._messages = f"{self._base}Messages.json"
        self._faults = carrier.faults
        self._texts = texts
        self._calls = calls
        self._control = control
        self._aliyun = Aliyun(carrier, texts, senders)
        self._gateway = Gateway(carrier, texts, senders)

    def __call__(self, request: Request) -> Answer | Awaitable[Answer]:
        """Answer one request."""
        if request.path.startswith("/sandbox/"):
            return self._refused(request) or self._control.answer(request)
        if request.path.startswith(HOME):
            return self._refused(request) or self._pages.answer(request)
        answer = self._api(request)
        wait = self._faults.latency_seconds
        return settle_later(wait, answer) if wait else answer

    def _api(self, request: Request) -> Answer:
        if request.path == "/":
            if request.method == "GET" and not request.query:
                return Response(303, headers=(("Location", HOME),))  # somebody opened the address in a browser
            return self._aliyun.answer(request)
        if request.path.startswith("/gateway/"):
            return self._gateway.answer(request)
        if not self._carrier.keys.signs_in(request.authorization):
            return problem(20003)
        if request.path == self._messages and request.method == "POST":
            return self._texts.create(request)
        if request.path.startswith(LOOKUP):
            return self._carrier.accept(lambda: look_up(self._carrier, request))
        if not request.path.startswith(self._base) or not request.path.endswith(".json"):
            return problem(20404)
        name, _, sid = request.path[len(self._base) : -len(".json")].partition("/")
        resource = self._texts if name == "Messages" else self._calls if name == "Calls" else None
        if resource is None:
            return problem(20404)
        return _one(resource, sid, request) if sid else _all(resource, request)

    def _refused(self, request: Request) -> Response | None:
        reason = self._guard.refusal(request)
        return None if reason is None else Response(403, orjson.dumps({"error": reason}))


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
        keys = Keys(options.account.sid, options.account.token, options.account.second_token)
        deliveries = Deliveries(clock=clock, witness=witness, faults=faults, keys=keys, secret=options.secret)
        handsets = Handsets()
        if not script.mute:
            witness.watch = handsets.observe
        self._carrier = Carrier(
            options.account, script, clock, Agenda(clock), witness, faults, people, deliveries, handsets, keys
        )
        senders = Senders(script)
        texts, calls = Texts(self._carrier, senders), Calls(self._carrier, senders)
        mailroom = SandboxMailroom(self._carrier)
        guard = Guard(anyone=options.anyone)
        control = Control(self._carrier, senders, texts, calls, mailroom)
        pages = HandsetPages(self._carrier, Desk(self._carrier, senders, texts, calls, mailroom), guard)
        router = Router(self._carrier, texts, calls, control, senders, pages, guard)
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
