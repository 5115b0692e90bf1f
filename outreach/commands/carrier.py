"""`outreach sandbox`: the carrier alone, with the settings that point an installation or a test-suite at it."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from channels.sandbox import defaults
from channels.sandbox.__main__ import main
from channels.sandbox.aliyun import SENDER
from channels.sandbox.gateway import PATH
from channels.sandbox.server import Address, Options
from outreach.commands.common import fail, settings_or_fail
from outreach.demo.world import carrier_environ


@dataclass(frozen=True, slots=True)
class Listening:
    """A carrier that runs in this process."""

    http_url: str
    smtp_host: str
    smtp_port: int
    account_sid: str
    auth_token: str
    inbound_secret: str


def sandbox(
    http: Annotated[str, typer.Option(metavar="[HOST:]PORT", help="The APIs and the pages. 0 takes a free port.")] = (
        "8010"
    ),
    smtp: Annotated[str, typer.Option(metavar="[HOST:]PORT", help="The mail server.")] = "8025",
    callback_base: Annotated[
        str | None, typer.Option(metavar="URL", help="Where people's answers go; else OUTREACH_PUBLIC_URL.")
    ] = None,
    script: Annotated[Path | None, typer.Option(help="YAML or JSON: who the borrowers are.")] = None,
    log: Annotated[Path | None, typer.Option(help="Append everything that happens, as JSON Lines.")] = None,
    seed: Annotated[int, typer.Option(help="Every decision of scripted borrowers is drawn from it.")] = 1,
    start: Annotated[
        str | None, typer.Option(metavar="ISO", help="A clock that starts here and moves only by POST /sandbox/clock.")
    ] = None,
    anyone: Annotated[bool, typer.Option("--open", help="Other machines may use the pages and control API too.")] = (
        False
    ),
) -> None:
    """Run the carrier alone until Ctrl-C: Twilio, Aliyun, a plain gateway, SMTP, and a page with every handset."""
    base = callback_base or settings_or_fail().public_url
    given = ["--http", _address(http), "--smtp", _address(smtp), "--callback-base", base, "--seed", str(seed)]
    given += ["--script", str(script)] if script else []
    given += ["--log", str(log)] if log else []
    given += ["--clock", "stepped", "--start", start] if start else []
    given += ["--open"] if anyone else []
    code = main(given, lambda *ready: _announce(base, *ready))
    if code:
        raise typer.Exit(code)


def _address(text: str) -> str:
    """Read ``8010`` or ``127.0.0.1:8010``; without a host it is this machine only."""
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        fail(f"{text!r} is neither a port nor HOST:PORT")
    return f"{host or '127.0.0.1'}:{port}"


def _announce(base: str, options: Options, http: Address, smtp: Address) -> None:
    """Print what to set, so that a shell can read it as it is."""
    account = options.account
    host = _name(http)
    url = f"http://[{host}]:{http[1]}" if ":" in host else f"http://{host}:{http[1]}"
    where = Listening(url, _name(smtp), smtp[1], account.sid, account.token, options.secret)
    lines = [
        "# The sandbox carrier is up; Ctrl-C ends it. An installation that is to use it:",
        *(f"export {name}='{value}'" for name, value in carrier_environ(where).items()),
        *_second(account.second_token),
        f"export OUTREACH_PUBLIC_URL='{base}'",
        "export OUTREACH_MODE='sandbox'",
        *_others(url),
        f"# Every handset and mailbox: {url}/handsets",
        f"# Its clock, log, faults and profiles: {url}/sandbox/state (docs/channels/sandbox.md)",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _second(token: str | None) -> Iterator[str]:
    if token:
        yield f"export OUTREACH_TWILIO_AUTH_TOKEN_SECONDARY='{token}'"


def _others(url: str) -> Iterator[str]:
    """Yield what channels.yaml wants to know of the providers that no variable names."""
    yield f"# Aliyun in channels.yaml: base_url {url}, access_key_id {defaults.ALIYUN_KEY_ID}, access_key_secret"
    yield f"#   {defaults.ALIYUN_KEY_SECRET}, push_secret {defaults.ALIYUN_PUSH_SECRET}; texts come from {SENDER}"
    yield f"# A plain gateway: request.url {url}{PATH}, bearer {defaults.GATEWAY_KEY}, callbacks signed with"
    yield f"#   {defaults.GATEWAY_SECRET}"


def _name(address: Address) -> str:
    """Return a host that can be connected to: a carrier on every address is reached by the loopback, too."""
    return "127.0.0.1" if address[0] in {"0.0.0.0", "::"} else address[0]  # noqa: S104 - read, not bound
