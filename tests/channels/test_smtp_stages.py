"""Email at every stage of the exchange: what certainly did not leave, what was refused, what may have left."""

import asyncio
import logging
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from given import MAIL, NOW, TEXT, outbound, smtp_config
from peers import DROP, GARBLE, SILENCE, Relay, closed_port

from channels import errors
from channels.contract import Accepted, Channel, LooksUp
from channels.email.smtp import SmtpEmail

ANA = "ana@borrower.example.com"


def email(port: int, **options: object) -> SmtpEmail:
    return SmtpEmail(smtp_config(port, **options), lambda: NOW)


def run(work: Callable[[Relay], Awaitable[None]], **fields: Any) -> None:
    async def main() -> None:
        async with Relay(**fields) as relay:
            await work(relay)

    asyncio.run(main())


async def failure(channel: SmtpEmail, address: str = ANA) -> errors.SendError:
    try:
        with pytest.raises(errors.SendError) as caught:
            await channel.send(outbound(MAIL, address))
        return caught.value
    finally:
        await channel.close()


def test_an_accepted_email_has_a_tagged_sender_and_a_stable_message_id() -> None:
    async def work(relay: Relay) -> None:
        channel = email(relay.port)
        first = await channel.send(outbound(MAIL, ANA))
        again = await channel.send(outbound(MAIL, ANA))
        await channel.close()
        assert first == again == Accepted("0190-att-1@mail.example.com")
        sender, to, raw = relay.mails[0]
        assert (sender, to) == ("bounce+rt-9@mail.example.com", ANA)
        assert b"Message-ID: <0190-att-1@mail.example.com>" in raw
        assert raw == relay.mails[1][2]

    run(work)


def test_delivery_reports_are_asked_for_when_offered_and_only_then() -> None:
    async def work(relay: Relay) -> None:
        channel = email(relay.port)
        await channel.send(outbound(MAIL, "a+b=c@borrower.example.com"))
        await channel.close()
        mail, rcpt = (next(c for c in relay.commands if c.startswith(verb)) for verb in ("MAIL", "RCPT"))
        assert ("ENVID=0190-att-1" in mail) is ("DSN" in relay.extensions)
        assert ("NOTIFY=FAILURE,DELAY ORCPT=rfc822;a+2Bb+3Dc@borrower.example.com" in rcpt) is (
            "DSN" in relay.extensions
        )

    run(work)
    run(work, extensions=("8BITMIME",))


STAGES: list[Any] = [
    # stage, what the relay does, our error, code shown
    ("connect", DROP, errors.Unavailable, None),
    ("connect", SILENCE, errors.Unavailable, None),
    ("connect", "421 4.3.2 busy", errors.Unavailable, "421"),
    ("connect", "554 5.3.2 go away", errors.Unavailable, "554"),
    ("ehlo", DROP, errors.Unavailable, None),
    ("mail", DROP, errors.Unavailable, None),
    ("mail", SILENCE, errors.Unavailable, None),
    ("mail", GARBLE, errors.Unavailable, None),
    ("mail", "421 4.7.0 slow down", errors.Throttled, "4.7.0"),
    ("mail", "452 4.3.1 full", errors.Throttled, "4.3.1"),
    ("mail", "530 5.7.0 sign in first", errors.Misconfigured, "5.7.0"),
    ("mail", "550 5.7.1 sender refused", errors.Misconfigured, "5.7.1"),
    ("rcpt", DROP, errors.Unavailable, None),
    ("rcpt", SILENCE, errors.Unavailable, None),
    ("rcpt", GARBLE, errors.Unavailable, None),
    ("rcpt", "450 4.2.0 greylisted", errors.Throttled, "4.2.0"),
    ("rcpt", "421 4.7.0 closing", errors.Throttled, "4.7.0"),
    ("rcpt", "452 4.2.2 over quota", errors.Throttled, "4.2.2"),
    ("rcpt", "552 5.2.2 mailbox full", errors.Throttled, "5.2.2"),
    ("rcpt", f"550 5.1.1 <{ANA}> no such user", errors.BadAddress, "5.1.1"),
    ("rcpt", "550 5.1.2 no such domain", errors.BadAddress, "5.1.2"),
    ("rcpt", "550 5.2.1 disabled", errors.BadAddress, "5.2.1"),
    ("rcpt", "550 no such user", errors.BadAddress, "550"),
    ("rcpt", "550 5.7.1 relaying denied", errors.Misconfigured, "5.7.1"),
    ("rcpt", "503 5.5.1 bad sequence", errors.Misconfigured, "5.5.1"),
    ("rcpt", "554 5.4.0 no", errors.Rejected, "5.4.0"),
    ("data", DROP, errors.Unavailable, None),
    ("data", SILENCE, errors.Unavailable, None),
    ("data", "451 4.3.0 later", errors.Throttled, "4.3.0"),
    ("data", "554 5.7.1 refused", errors.ContentRefused, "5.7.1"),
    ("words", DROP, errors.OutcomeUnknown, None),
    ("words", SILENCE, errors.OutcomeUnknown, None),
    ("words", GARBLE, errors.OutcomeUnknown, None),
    ("words", "354 what", errors.OutcomeUnknown, "354"),
    ("words", "451 4.7.1 later", errors.Throttled, "4.7.1"),
    ("words", "421 4.3.2 closing", errors.Throttled, "4.3.2"),
    ("words", "554 5.6.0 spam", errors.ContentRefused, "5.6.0"),
    ("words", "550 5.7.26 unauthenticated", errors.Misconfigured, "5.7.26"),
]


@pytest.mark.parametrize(("stage", "does", "expected", "code"), STAGES, ids=lambda value: str(value)[:24])
def test_each_stage_tells_what_may_have_left(
    stage: str, does: str, expected: type[errors.SendError], code: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def work(relay: Relay) -> None:
        relay.at[stage] = [does]
        if stage == "mail" and does in {DROP, SILENCE}:
            relay.at[stage] = [does, does]
        quick = {"command_seconds": 0.2, "final_reply_seconds": 0.2} if does == SILENCE else {}
        error = await failure(email(relay.port, **quick))
        assert (type(error), error.provider_code) == (expected, code)
        assert len(relay.mails) == (1 if stage == "words" and does in {DROP, SILENCE, GARBLE} else 0)
        told = repr(error) + repr(error.__cause__) + caplog.text
        assert "ana" not in told
        assert "Hello" not in told

    run(work)


def test_greylisting_says_how_long_to_wait() -> None:
    async def work(relay: Relay) -> None:
        relay.at["rcpt"] = ["450 4.2.0 greylisted"]
        assert (await failure(email(relay.port))).retry_after == 300

    run(work)


def test_a_refused_connection_is_not_sent() -> None:
    assert type(asyncio.run(failure(email(closed_port())))) is errors.Unavailable


def test_a_refusal_leaves_the_connection_usable_for_the_next_person() -> None:
    async def work(relay: Relay) -> None:
        relay.at["rcpt"] = ["550 5.1.1 no such user"]
        channel = email(relay.port)
        with pytest.raises(errors.BadAddress):
            await channel.send(outbound(MAIL, ANA))
        await channel.send(outbound(MAIL, "ben@borrower.example.com"))
        await channel.close()
        assert relay.connections == 1
        assert "RSET" in relay.commands
        assert [to for _, to, _ in relay.mails] == ["ben@borrower.example.com"]

    run(work)


def test_a_kept_connection_that_died_is_replaced_and_the_email_leaves_once() -> None:
    async def work(relay: Relay) -> None:
        channel = email(relay.port)
        await channel.send(outbound(MAIL, ANA))
        relay.at["mail"] = [DROP]
        await channel.send(outbound(MAIL, ANA))
        await channel.close()
        assert (relay.connections, len(relay.mails)) == (2, 2)

    run(work)


def test_an_idle_connection_is_probed_before_use() -> None:
    async def work(relay: Relay) -> None:
        channel = email(relay.port, idle_seconds=1e-9)
        await channel.send(outbound(MAIL, ANA))
        await channel.send(outbound(MAIL, ANA))
        relay.at["noop"] = [DROP]
        await channel.send(outbound(MAIL, ANA))
        await channel.close()
        assert "NOOP" in relay.commands
        assert (relay.connections, len(relay.mails)) == (2, 3)

    run(work)


def test_a_connection_retires_after_its_share_and_says_goodbye() -> None:
    async def work(relay: Relay) -> None:
        channel = email(relay.port, sends_per_connection=2)
        for _ in range(5):
            await channel.send(outbound(MAIL, ANA))
        await channel.close()
        assert relay.connections == 3
        assert relay.commands.count("QUIT") == 3

    run(work)


def test_a_batch_goes_out_over_at_most_the_allowed_connections() -> None:
    async def work(relay: Relay) -> None:
        channel = email(relay.port, connections=3)
        await asyncio.gather(*(channel.send(outbound(MAIL, f"p{n}@borrower.example.com")) for n in range(20)))
        await channel.close()
        assert relay.connections == 3
        assert sorted(to for _, to, _ in relay.mails) == sorted(f"p{n}@borrower.example.com" for n in range(20))

    run(work)


def test_waiting_for_a_free_connection_ends_as_not_sent() -> None:
    async def work(relay: Relay) -> None:
        relay.at["words"] = [SILENCE]
        channel = email(relay.port, connections=1, wait_seconds=0.1, final_reply_seconds=0.5)
        results = await asyncio.gather(*(channel.send(outbound(MAIL, ANA)) for _ in range(2)), return_exceptions=True)
        await channel.close()
        assert {type(result) for result in results} == {errors.OutcomeUnknown, errors.Unavailable}
        assert len(relay.mails) == 1

    run(work)


def test_a_cancelled_send_gives_its_place_back_and_not_its_connection() -> None:
    async def work(relay: Relay) -> None:
        relay.at["rcpt"] = [SILENCE]
        channel = email(relay.port, connections=1)
        task = asyncio.ensure_future(channel.send(outbound(MAIL, ANA)))
        while not (await relay.heard.get()).startswith("RCPT"):
            pass
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await channel.send(outbound(MAIL, ANA))
        await channel.close()
        assert (relay.connections, len(relay.mails)) == (2, 1)

    run(work)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [("535 5.7.8 no", errors.Misconfigured), ("454 4.7.0 later", errors.Unavailable)],
)
def test_a_refused_sign_in_stops_the_lane_when_final(reply: str, expected: Any) -> None:
    async def work(relay: Relay) -> None:
        relay.at["auth"] = [reply]
        error = await failure(email(relay.port, username="u", password="hunter2"))
        assert type(error) is expected
        assert "hunter2" not in repr(error)

    run(work, extensions=("AUTH PLAIN",))


@pytest.mark.parametrize(
    "address",
    ["ana", "ana@", "@x.example.com", "a b@x.example.com", "ana@x", "a@x.example.com\r\nRCPT TO:<b@x.test>", ""],
)
def test_an_address_that_is_none_is_refused_before_connecting(address: str) -> None:
    error = asyncio.run(failure(email(closed_port()), address))
    assert type(error) is errors.BadAddress


def test_another_mediums_content_and_unicode_mailboxes_are_unsupported() -> None:
    async def main() -> None:
        channel = email(closed_port())
        for wrong in (outbound(TEXT, ANA), outbound(MAIL, "josé@borrower.example.com")):
            with pytest.raises(errors.Unsupported):
                await channel.send(wrong)

    asyncio.run(main())


def test_it_is_a_channel_without_look_up() -> None:
    channel: Channel = email(1)
    assert not isinstance(channel, LooksUp)


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, good for an hour of tests."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "cert.pem",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


def served(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return context


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
@pytest.mark.parametrize(("trusted", "expected"), [(True, None), (False, errors.Misconfigured)])
def test_tls_is_used_and_the_certificate_checked(certificate: Path, mode: str, trusted: bool, expected: Any) -> None:
    async def main() -> None:
        relay = Relay(extensions=("STARTTLS",) if mode == "starttls" else (), tls=mode == "implicit")
        relay.context = served(certificate)
        async with relay:
            channel = email(relay.port, tls=mode, **({"ca_file": str(certificate / "cert.pem")} if trusted else {}))
            if expected is None:
                await channel.send(outbound(MAIL, ANA))
                await channel.close()
                assert len(relay.mails) == 1
            else:
                assert type(await failure(channel)) is expected
                assert relay.mails == []

    asyncio.run(main())


def test_a_relay_that_hides_starttls_gets_nothing() -> None:
    async def work(relay: Relay) -> None:
        error = await failure(email(relay.port, tls="starttls", username="u", password="hunter2"))
        assert type(error) is errors.Misconfigured
        assert not any(command.startswith(("AUTH", "MAIL")) for command in relay.commands)

    run(work, extensions=("AUTH PLAIN",))


@pytest.mark.parametrize("host", ["smtp.example.com", "10.0.0.5", "127.evil.example.com", "0.0.0.0"])  # noqa: S104
def test_going_without_tls_is_for_loopback_only(host: str) -> None:
    with pytest.raises(errors.ConfigError, match="loopback"):
        email(25, host=host)
