"""`outreach mail`: the two processes of mail intake, a listener and a poller."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, TypeVar

import typer

from channels.email.imap import MailboxError, MailboxOptions
from channels.email.listener import ListenerOptions
from outreach.bootstrap import serve_house
from outreach.commands.common import console, fail
from outreach.commands.indoors import NoQueue, reachable, run
from outreach.flows.house import House
from outreach.flows.mail import mail_channel
from outreach.flows.ports import Queue
from outreach.logging import configure_logging
from outreach.mail_settings import load_listener, load_mailbox
from outreach.settings import Settings, SettingsError, load_settings
from outreach.workers.app import make_broker
from outreach.workers.lanes import DramatiqQueue
from outreach.workers.mail_listener import listen as serve_mail
from outreach.workers.mail_poller import NotTakenError, Poller

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Mail that comes in: the listener and the poller.")


@app.command("listen")
def listen(
    on: Annotated[str, typer.Option(help="lmtp://host:port or smtp://host:port.", envvar="OUTREACH_MAIL_LISTEN")] = "",
) -> None:
    """Take mail that your mail system delivers here, until it is told to end."""
    settings, options = _settings(load_listener, "OUTREACH_MAIL_LISTEN", on)
    run(_listen(settings, options))


@app.command("poll")
def poll(
    once: Annotated[bool, typer.Option("--once", help="Look once, then end.")] = False,
    host: Annotated[str, typer.Option(help="The IMAP server.", envvar="OUTREACH_IMAP_HOST")] = "",
) -> None:
    """Fetch mail from a mailbox, again and again, until it is told to end."""
    settings, options = _settings(load_mailbox, "OUTREACH_IMAP_HOST", host)
    run(_poll(settings, options, once=once))


def _settings(load: Callable[[Mapping[str, str]], T | None], name: str, given: str) -> tuple[Settings, T]:
    try:
        settings = load_settings()
        options = load({**settings.environ, name: given})
    except SettingsError as error:
        fail(str(error))
    if options is None:
        fail(f"{name} is not set; docs/channels/mail-intake.md says how to set mail intake up")
    configure_logging(settings.log_level)
    return settings, options


async def _listen(settings: Settings, options: ListenerOptions) -> None:
    async with _serving(settings) as house:
        try:
            await serve_mail(house, options, _ended())
        except OSError as error:
            fail(f"OUTREACH_MAIL_LISTEN: cannot listen there: {error.strerror}")


async def _poll(settings: Settings, options: MailboxOptions, *, once: bool) -> None:
    async with _serving(settings) as house:
        poller = Poller(house, options)
        if not once:
            await poller.run(_ended())
            return
        try:
            taken = await poller.look()
        except (MailboxError, NotTakenError) as error:
            fail(f"the mailbox could not be read to its end: {error}", 1)
        console.print(f"{taken} mails taken", highlight=False)


@asynccontextmanager
async def _serving(settings: Settings) -> AsyncIterator[House]:
    """Open a house that stores news and wakes the intake lane; without Redis the scheduler's sweep finds them."""
    with reachable(settings) as ready:
        broker = make_broker(ready.redis_url) if ready.redis_url else None
        queue: Queue = DramatiqQueue(broker, ready.batch) if broker else NoQueue()
        house = await serve_house(ready, queue)
        try:
            if mail_channel(house) is None:
                fail("channels.yaml has no channel that takes mail")
            yield house
        finally:
            await house.close()


def _ended() -> asyncio.Event:
    """Return the event that SIGTERM and Ctrl-C set."""
    ended = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    return ended
