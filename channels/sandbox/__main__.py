"""Starts the sandbox carrier: ``python -m channels.sandbox --help``."""

import argparse
import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

import orjson
import uvloop

from channels.sandbox import defaults
from channels.sandbox.carrier import Account
from channels.sandbox.errors import ScriptError
from channels.sandbox.script import load_script
from channels.sandbox.server import Address, Options, SandboxServer

_BAD_USE: Final = 2


Announce = Callable[[Options, Address, Address], None]
"""Told the options and where HTTP and SMTP listen, once both do."""


def main(arguments: list[str] | None = None, announce: Announce | None = None) -> int:
    """Run until told to stop; return the exit code (2 for options or a script that cannot be used)."""
    try:
        options = parse_options(arguments)
    except ScriptError as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return _BAD_USE
    # Nearly everything the carrier makes it keeps, so frequent searches for garbage would only find nothing.
    gc.set_threshold(100_000, 50, 50)
    try:
        uvloop.run(_serve(options, announce or _announce))
    except OSError as error:
        sys.stderr.write(f"sandbox: cannot start: {error}\n")
        return 1
    return 0


def parse_options(arguments: list[str] | None = None) -> Options:
    """Read the command line and the environment. Raises ScriptError for what cannot be used."""
    given = _parser().parse_args(arguments)
    stepped = given.clock == "stepped"
    if stepped and given.start is None:
        raise ScriptError("--clock stepped needs --start, an instant such as 2026-03-02T15:00:00Z")
    script = load_script(given.script, stepped=stepped)
    if given.mute:
        script = replace(script, mute=True)
    base = given.callback_base.rstrip("/")
    account = Account(
        sid=os.environ.get("SANDBOX_ACCOUNT_SID", defaults.ACCOUNT_SID),
        token=os.environ.get("SANDBOX_AUTH_TOKEN", defaults.AUTH_TOKEN),
        inbound_sms_url=script.inbound_sms or f"{base}/v1/callbacks/sms",
        inbound_email_url=script.inbound_email or f"{base}/v1/inbound/email",
        aliyun_url=urljoin(f"{base}/", script.aliyun.pushes or f"v1/callbacks/aliyun/{defaults.ALIYUN_PUSH_SECRET}"),
        gateway_url=script.gateway.replies or f"{base}/v1/callbacks/gateway",
        second_token=os.environ.get("SANDBOX_AUTH_TOKEN_SECONDARY") or None,
        inbound_call_url=script.inbound_call,
    )
    secret = os.environ.get("SANDBOX_INBOUND_SECRET", defaults.INBOUND_SECRET)
    start = given.start if stepped else None
    return Options(given.http, given.smtp, given.log, script, account, secret, given.seed, start, given.open)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m channels.sandbox", description=__doc__)
    add = parser.add_argument
    add("--http", type=_address, default=("127.0.0.1", 8010), metavar="HOST:PORT", help="the REST and control API")
    add("--smtp", type=_address, default=("127.0.0.1", 8025), metavar="HOST:PORT", help="the mail server")
    add("--log", type=Path, metavar="FILE", help="append everything received and done, as JSON Lines")
    add("--script", type=Path, metavar="FILE", help="YAML or JSON: who the borrowers are")
    add("--callback-base", default="http://127.0.0.1:8000", metavar="URL", help="where texts and mail from people go")
    add("--seed", type=int, default=1, metavar="N", help="every decision is drawn from it")
    add("--clock", choices=("real", "stepped"), default="real", help="stepped: moves only by POST /sandbox/clock")
    add("--start", type=_instant, metavar="ISO", help="where a stepped clock starts")
    add("--mute", action="store_true", help="accept everything and do nothing else: no callbacks, no replies")
    add("--open", action="store_true", help="other machines may use the pages and the control API too")
    return parser


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not an instant with an offset, such as 2026-03-02T15:00:00Z")
    return instant


def _announce(options: Options, http: Address, smtp: Address) -> None:  # noqa: ARG001 - as Announce has it
    ready = {"ready": True, "http": list(http), "smtp": list(smtp), "pid": os.getpid()}
    sys.stdout.write(orjson.dumps(ready).decode() + "\n")


async def _serve(options: Options, announce: Announce) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    server = SandboxServer(options)
    http, smtp = await server.start()
    announce(options, http, smtp)
    sys.stdout.flush()
    try:
        await stopped.wait()
    finally:
        await server.stop()


if __name__ == "__main__":
    sys.exit(main())
