"""Mail that the lender's mail system delivers: taken over real sockets, stored before it is answered, never lost."""

import asyncio
import base64
import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import psycopg
import pytest

from channels.email import listener
from outreach.flows import mail as flow
from outreach.flows.exchanges import load_exchanges
from outreach.flows.house import House
from tests.support.book import Someone
from tests.support.house import rows
from tests.support.imap_server import certificate
from tests.support.mail import a_house_that_wrote, answer, bounce, complaint, deliver, listening, speak
from tests.support.touching import run_intake

REPLY = "reply@mail.example.com"


def inbox(database: str) -> list[tuple[Any, ...]]:
    return rows(database, "select kind, state from inbox order by inbox_id")


def refused(database: str) -> list[str]:
    return sorted(row[0] for row in rows(database, "select channel from suppression where lifted_at is null"))


def mailbox_state(database: str, ada: Someone) -> str:
    return str(rows(database, "select state from contact_point where contact_point_id = %s", ada.email_id)[0][0])


@pytest.mark.parametrize("lmtp", [True, False], ids=["lmtp", "smtp"])
async def test_a_stop_by_mail_is_in_force_when_the_mail_system_hears_250(database: str, lmtp: bool) -> None:
    async with a_house_that_wrote(database, Someone()) as (house, (letter,)), listening(house, lmtp=lmtp) as port:
        await deliver(port, "ada@example.com", letter["Reply-To"], answer(letter, "STOP\n"), lmtp=lmtp)
        assert refused(database) == ["email", "ivr", "sms", "voice"]
        assert inbox(database) == [("reply", "new")]


async def test_an_answer_reaches_the_case_with_the_persons_own_words_only(database: str) -> None:
    async with a_house_that_wrote(database, Someone()) as (house, (letter,)), listening(house) as port:
        words = (
            "I can pay on Friday.\n\nOn Mon, Mar 1, 2027, Bank <pay@mail.example.com> wrote:\n> Reply STOP to stop\n"
        )
        await deliver(port, "ada@example.com", letter["Reply-To"], answer(letter, words))
        await run_intake(house)
        assert inbox(database) == [("reply", "applied")]
        assert rows(database, "select body, intent from reply") == [("I can pay on Friday.", "promise_to_pay")]
        assert refused(database) == []


async def test_a_hard_bounce_takes_the_mailbox_out_of_use(database: str) -> None:
    async with a_house_that_wrote(database, ada := Someone()) as (house, (letter,)), listening(house) as port:
        await deliver(port, "", letter.return_path, bounce(letter))
        await run_intake(house)
        assert mailbox_state(database, ada) == "invalid"
        assert rows(database, "select outcome, error_code from attempt") == [("failed", "bad_address")]
        assert await kept_of(house) == [{"kind": "bounce", "action": "failed", "status": "5.1.1", "hard": "true"}]


async def kept_of(house: House) -> list[dict[str, Any]]:
    """Return what the exchange log shows of mails that came back for the attempt, by what they were read as."""
    (found,) = await load_exchanges(house, "B1")
    shown = {"kind", "action", "status", "hard"}
    told = [trip for line in found.lines if line["way"] == "in" for trip in line["trips"]]
    assert "ada" not in str(told).lower()
    return [{name: said for name, said in trip["request"]["fields"].items() if name in shown} for trip in told]


async def test_a_delay_changes_nothing_about_the_mailbox(database: str) -> None:
    async with a_house_that_wrote(database, ada := Someone()) as (house, (letter,)), listening(house) as port:
        await deliver(port, "", letter.return_path, bounce(letter, "4.4.1", "delayed"))
        await run_intake(house)
        assert mailbox_state(database, ada) == "active"


async def test_a_hard_bounce_counts_behind_one_that_was_not_hard(database: str) -> None:
    async with a_house_that_wrote(database, ada := Someone()) as (house, (letter,)), listening(house) as port:
        await deliver(port, "", letter.return_path, bounce(letter, "4.4.7"))
        await run_intake(house)
        assert mailbox_state(database, ada) == "active"
        await deliver(port, "", letter.return_path, bounce(letter, "5.1.1"))
        await run_intake(house)
        assert mailbox_state(database, ada) == "invalid"


@pytest.mark.parametrize("delivered_before", [False, True])
async def test_a_complaint_is_an_opt_out_of_email(database: str, delivered_before: bool) -> None:
    async with a_house_that_wrote(database, Someone()) as (house, (letter,)), listening(house) as port:
        if delivered_before:
            await deliver(port, "", letter.return_path, bounce(letter, "2.0.0", "delivered"))
            await run_intake(house)
        await deliver(port, "", "bounce@mail.example.com", complaint(letter))
        await run_intake(house)
        assert refused(database) == ["email"]
        assert {"kind": "complaint", "hard": "false"} in await kept_of(house)


NO_PERSON: list[tuple[str, dict[str, str | None]]] = [
    ("ada@example.com", {"Auto_Submitted": "auto-replied"}),
    ("ada@example.com", {"Precedence": "bulk"}),
    ("ada@example.com", {"Subject": "Automatic reply: away"}),
    ("", {}),
    ("list@example.com", {"List_Id": "<neighbours.example.com>", "In_Reply_To": None, "To": REPLY}),
    ("ada@example.com", {"From": "Bank <pay@mail.example.com>"}),
    ("ada@example.com", {"Message_ID": "<0190c0de-0000-7000-8000-000000000000@mail.example.com>"}),
]


@pytest.mark.parametrize("together", [True, False], ids=["together", "one after the other"])
@pytest.mark.parametrize("first", ["bounce", "complaint"])
async def test_a_complaint_about_what_bounced_leaves_the_dead_mailbox_out_of_use(
    database: str, first: str, together: bool
) -> None:
    async with a_house_that_wrote(database, ada := Someone()) as (house, (letter,)), listening(house) as port:
        news = [("bounce", bounce(letter)), ("complaint", complaint(letter))]
        for _, raw in sorted(news, key=lambda each: each[0] != first):
            await deliver(port, "", letter.return_path, raw)
            if not together:
                await run_intake(house)
        await run_intake(house)
        assert mailbox_state(database, ada) == "invalid"
        assert refused(database) == ["email"]


async def test_what_no_person_wrote_changes_nothing_and_is_not_answered(database: str) -> None:
    """Automatic answers, a null sender, a list, ourselves, and a mail of ours that came back."""
    async with a_house_that_wrote(database, Someone()) as (house, letters), listening(house) as port:
        (letter,) = letters
        for sender, headers in NO_PERSON:
            recipient = REPLY if "List_Id" in headers else letter["Reply-To"]
            await deliver(port, sender, recipient, answer(letter, "STOP\n", **headers))
            assert inbox(database) == [], (sender, headers)
        await run_intake(house)
        assert refused(database) == []
        assert len(letters) == 1, "nothing was written back"


async def test_a_person_who_answers_through_a_list_is_still_heard(database: str) -> None:
    async with a_house_that_wrote(database, Someone()) as (house, (letter,)), listening(house) as port:
        raw = answer(letter, "STOP\n", List_Id="<family.example.com>")
        await deliver(port, "family@lists.example.com", letter["Reply-To"], raw)
        assert refused(database) == ["email", "ivr", "sms", "voice"]


async def test_the_same_mail_twice_is_one(database: str) -> None:
    async with a_house_that_wrote(database, Someone()) as (house, (letter,)), listening(house) as port:
        for trace in (b"Received: from a\r\n", b"Received: from b\r\nX-Spam: no\r\n"):
            await deliver(port, "ada@example.com", letter["Reply-To"], trace + answer(letter))
        assert inbox(database) == [("reply", "new")]


async def test_two_mails_without_message_id_are_two(database: str) -> None:
    people = [Someone(), Someone("B2", phone="+12125550102", email="ben@example.com")]
    async with a_house_that_wrote(database, *people) as (house, letters), listening(house) as port:
        for one, letter in zip(people, letters, strict=True):
            headers = {"Message_ID": None, "In_Reply_To": None, "To": REPLY, "From": str(one.email)}
            await deliver(port, str(one.email), REPLY, answer(letter, "STOP\n", **headers))
        assert inbox(database) == [("reply", "new")] * 2
        stopped = rows(database, "select distinct borrower_id from suppression")
        assert {row[0] for row in stopped} == {one.borrower_id for one in people}


class TestWhoseMailItIs:
    """The token goes before the Message-ID it answers, that before the sender's address."""

    async def stopped_by(self, database: str, recipient_of: int | None, **headers: str | None) -> list[str]:
        """Let a mail say STOP; returns the references of the borrowers that are stopped then."""
        ada, ben, eve = (
            Someone("ada"),
            Someone("ben", phone="+12125550102", email="ben@example.com"),
            Someone("eve", phone="+12125550103", email="eve@example.com"),
        )
        async with a_house_that_wrote(database, ada, ben, eve) as (house, letters), listening(house) as port:
            by_to = {letter["To"]: letter for letter in letters}
            mine = [by_to[str(one.email)] for one in (ada, ben, eve)]
            headers = {"To": REPLY, "From": "eve@example.com", "In_Reply_To": mine[1]["Message-ID"]} | headers
            recipient = REPLY if recipient_of is None else mine[recipient_of]["Reply-To"]
            await deliver(port, "eve@example.com", recipient, answer(mine[0], "STOP\n", **headers))
        found = rows(database, "select distinct b.external_id from suppression join borrower b using (borrower_id)")
        return [row[0] for row in found]

    async def test_the_token_goes_first(self, database: str) -> None:
        assert await self.stopped_by(database, 0) == ["ada"]

    async def test_without_a_token_the_message_it_answers_tells(self, database: str) -> None:
        assert await self.stopped_by(database, None) == ["ben"]

    async def test_without_either_the_sender_tells(self, database: str) -> None:
        assert await self.stopped_by(database, None, In_Reply_To=None) == ["eve"]

    async def test_a_token_that_nobody_has_does_not_hide_the_rest(self, database: str) -> None:
        assert await self.stopped_by(database, None, To="reply+nobody@mail.example.com") == ["ben"]

    async def test_somebody_elses_tag_is_no_token(self, database: str) -> None:
        assert await self.stopped_by(database, None, Cc="eve+bank@example.com") == ["ben"]


async def test_an_answer_to_an_email_of_unknown_outcome_is_known_by_its_message_id(database: str) -> None:
    async with a_house_that_wrote(database, Someone()) as (house, (letter,)), listening(house) as port:
        rows(database, "update attempt set state = 'unknown', provider_ref = null returning 1")
        raw = answer(letter, "STOP\n", To=REPLY, From="ada.at.work@example.org")
        await deliver(port, "ada.at.work@example.org", REPLY, raw)
        assert refused(database) == ["email", "ivr", "sms", "voice"]


class TestWhatIsRefused:
    """Not ours, too large, from elsewhere."""

    async def test_a_mailbox_that_is_not_ours_is_550(self, database: str) -> None:
        async with a_house_that_wrote(database) as (house, _), listening(house) as port:
            for to in ("ana@mail.example.com", "reply@example.org", "reply+x@evil.example.com", "postmaster"):
                with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
                    await deliver(port, "ada@example.com", to, b"Subject: hi\r\n\r\nhi\r\n")
                assert [code for code, _ in refusal.value.recipients.values()] == [550]

    @pytest.mark.parametrize("lmtp", [True, False], ids=["lmtp", "smtp"])
    async def test_too_large_is_552_and_the_connection_goes_on(self, database: str, lmtp: bool) -> None:
        def talk(line: smtplib.SMTP) -> list[int]:
            line.ehlo_or_helo_if_needed()
            announced = line.mail("ada@example.com", ["SIZE=300000"])[0]
            line.mail("ada@example.com")
            line.rcpt(REPLY)
            sent = line.data(b"Subject: x\r\n\r\n" + b"x" * 998 + (b"\r\n" + b"y" * 998) * 300)[0]
            return [announced, sent, line.noop()[0]]

        async with a_house_that_wrote(database) as (house, _), listening(house, lmtp=lmtp) as port:
            assert await speak(port, talk, lmtp=lmtp) == [552, 552, 250]
            assert inbox(database) == []

    async def test_a_host_that_is_not_listed_may_not_deliver(self, database: str) -> None:
        peers = (ip_network("192.0.2.0/24"),)
        async with a_house_that_wrote(database) as (house, _), listening(house, peers=peers) as port:
            with pytest.raises(smtplib.SMTPSenderRefused) as refusal:
                await deliver(port, "ada@example.com", REPLY, b"\r\nSTOP\r\n")
            assert refusal.value.smtp_code == 554

    async def test_more_recipients_than_one_delivery_takes_are_asked_to_come_again(self, database: str) -> None:
        def talk(line: smtplib.SMTP) -> set[int]:
            line.ehlo_or_helo_if_needed()
            line.mail("ada@example.com")
            return {line.rcpt(f"reply+t{n}@mail.example.com")[0] for n in range(51)}

        async with a_house_that_wrote(database) as (house, _), listening(house) as port:
            assert await speak(port, talk) == {250, 452}


async def test_attachments_are_not_stored_and_long_words_are_cut(database: str) -> None:
    async with a_house_that_wrote(database, Someone()) as (house, (letter,)), listening(house) as port:
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"] = "ada@example.com", letter["Reply-To"]
        mail.set_content("STOP. " + "Please write to me by post. " * 2000)
        mail.add_attachment(b"payslip-content " * 4000, maintype="application", subtype="pdf", filename="payslip.pdf")
        await deliver(port, "ada@example.com", letter["Reply-To"], mail.as_bytes())
        assert refused(database) == ["email", "ivr", "sms", "voice"]
        stored = str(rows(database, "select payload from inbox")[0][0])
        assert "payslip" not in stored
        assert base64.b64encode(b"payslip-content ")[:12].decode() not in stored
        assert len(stored) < 21_000


async def test_a_line_of_any_length_is_read(database: str) -> None:
    async with a_house_that_wrote(database, Someone()) as (house, (letter,)), listening(house) as port:
        head = f"From: ada@example.com\r\nTo: {letter['Reply-To']}\r\nContent-Type: text/html\r\n\r\n".encode()
        await deliver(port, "ada@example.com", letter["Reply-To"], head + b"<p>STOP</p>" + b"<b></b>" * 9000 + b"\r\n")
        assert refused(database) == ["email", "ivr", "sms", "voice"]


class TestTheStoreIsAway:
    """Nothing is answered 250 that is not stored."""

    async def test_a_store_that_is_away_is_451_and_the_mail_is_taken_when_it_is_back(
        self, database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with a_house_that_wrote(database, Someone()) as (house, (letter,)), listening(house) as port:
            with monkeypatch.context() as away:
                away.setattr(flow, "store_news", _raise(psycopg.OperationalError("the server closed the connection")))
                with pytest.raises(smtplib.SMTPDataError) as refusal:
                    await deliver(port, "ada@example.com", letter["Reply-To"], answer(letter, "STOP\n"))
                assert refusal.value.smtp_code == 451
                assert inbox(database) == []
                assert rows(database, "select kind from alert") == []
            await deliver(port, "ada@example.com", letter["Reply-To"], answer(letter, "STOP\n"))
            assert refused(database) == ["email", "ivr", "sms", "voice"]

    async def test_an_answer_that_was_lost_after_the_commit_makes_no_second_reply(self, database: str) -> None:
        async with a_house_that_wrote(database, Someone()) as (house, (letter,)), listening(house) as port:
            taken = asyncio.Event()
            intake = house.queue.intake

            async def slow(kind: str, ids: Any) -> None:
                await intake(kind, ids)
                taken.set()
                await asyncio.sleep(60)  # the mail system hangs up while it waits for our answer

            house.queue.intake = slow  # type: ignore[method-assign]
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            for line in ("LHLO x", "MAIL FROM:<ada@example.com>", f"RCPT TO:<{letter['Reply-To']}>", "DATA"):
                writer.write(f"{line}\r\n".encode())
            writer.write(answer(letter, "STOP\n") + b"\r\n.\r\n")
            await taken.wait()
            writer.close()
            house.queue.intake = intake  # type: ignore[method-assign]
            await deliver(port, "ada@example.com", letter["Reply-To"], answer(letter, "STOP\n"))
            assert inbox(database) == [("reply", "new")]

    async def test_a_mail_that_cannot_be_stored_at_all_is_451_and_alerted(
        self, database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(flow, "store_news", _raise(ValueError("ada@example.com said something")))
        async with a_house_that_wrote(database, Someone()) as (house, (letter,)), listening(house) as port:
            with pytest.raises(smtplib.SMTPDataError) as refusal:
                await deliver(port, "ada@example.com", letter["Reply-To"], answer(letter))
            assert refusal.value.smtp_code == 451
            assert b"ada" not in refusal.value.smtp_error
            assert rows(database, "select kind, subject from alert") == [("mail.not_taken", "listener")]
        assert "ada@" not in caplog.text


def _raise(error: Exception) -> Any:
    async def failing(*_: Any) -> None:
        raise error

    return failing


async def test_off_the_loopback_nothing_is_taken_before_tls(database: str, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)

    def talk(line: smtplib.SMTP) -> list[int]:
        line.ehlo_or_helo_if_needed()
        codes = [line.mail("ada@example.com")[0]]
        line.starttls(context=ssl.create_default_context(cafile=str(cert)))
        line.ehlo()
        return [*codes, line.mail("ada@example.com")[0], "auth" in line.esmtp_features]

    async with (
        a_house_that_wrote(database) as (house, _),
        listening(house, lmtp=False, certificate=cert, key=key) as port,
    ):
        assert await speak(port, talk, lmtp=False) == [530, 250, False]


async def test_when_the_process_ends_the_mail_under_way_is_still_answered(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    store_news = flow.store_news

    async def waiting(*given: Any) -> Any:
        begun.set()
        await go_on.wait()
        return await store_news(*given)

    monkeypatch.setattr(flow, "store_news", waiting)
    async with a_house_that_wrote(database, Someone()) as (house, (letter,)), listening(house) as port:
        under_way = asyncio.create_task(deliver(port, "ada@example.com", letter["Reply-To"], answer(letter)))
        await begun.wait()
        asyncio.get_running_loop().call_later(0.2, go_on.set)
    await under_way
    assert inbox(database) == [("reply", "new")]


async def test_more_mails_at_once_than_there_is_room_for_are_asked_to_come_again(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "MOST_AT_ONCE", 1)

    def talk(first: smtplib.SMTP) -> list[int]:
        codes = []
        with smtplib.LMTP("127.0.0.1", port, local_hostname="mx.example.com") as second:
            for line in (first, second):
                line.ehlo_or_helo_if_needed()
                line.mail("ada@example.com")
                line.rcpt(REPLY)
                codes.append(line.docmd("DATA")[0])
            for line in (first, second):
                codes += [line.docmd("DATA")[0]] if line is second else []
                line.send(b"Subject: x\r\n\r\nx\r\n.\r\n")
                codes.append(line.getreply()[0])
        return codes

    async with a_house_that_wrote(database) as (house, _), listening(house) as port:
        assert await speak(port, talk) == [354, 451, 250, 354, 250]


class TestSeveralRecipients:
    """LMTP answers for each recipient, SMTP for all together."""

    async def test_lmtp_answers_each_recipient_by_itself(self, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
        people = [Someone(), Someone("B2", phone="+12125550102", email="ben@example.com")]
        async with a_house_that_wrote(database, *people) as (house, letters), listening(house) as port:
            store_news, fails = flow.store_news, iter((True, False))

            async def once(*given: Any) -> Any:
                if next(fails):
                    raise psycopg.OperationalError
                return await store_news(*given)

            monkeypatch.setattr(flow, "store_news", once)
            boxes = [letter["Reply-To"] for letter in letters]
            codes = await asyncio.to_thread(_lmtp, port, boxes, answer(letters[0], "STOP\n", To=REPLY))
            assert codes == [451, 250]
            stopped = rows(database, "select distinct borrower_id from suppression")
            mine = rows(database, "select borrower_id from attempt where token = %s", _token(boxes[1]))
            assert stopped == mine

    async def test_lmtp_refuses_what_is_too_large_once_for_each(self, database: str) -> None:
        async with a_house_that_wrote(database) as (house, _), listening(house) as port:
            raw = b"Subject: x\r\n\r\n" + (b"y" * 998 + b"\r\n") * 300
            codes = await asyncio.to_thread(_lmtp, port, ["reply+a@mail.example.com", "reply+b@mail.example.com"], raw)
            assert codes == [552, 552]

    async def test_smtp_stores_all_or_none(self, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
        people = [Someone(), Someone("B2", phone="+12125550102", email="ben@example.com")]
        async with a_house_that_wrote(database, *people) as (house, letters), listening(house, lmtp=False) as port:
            store_news, fails = flow.store_news, iter((False, True, False, False))

            async def second(*given: Any) -> Any:
                if next(fails):
                    raise psycopg.OperationalError
                return await store_news(*given)

            monkeypatch.setattr(flow, "store_news", second)
            boxes, raw = [letter["Reply-To"] for letter in letters], answer(letters[0], "STOP\n", To=REPLY)
            with pytest.raises(smtplib.SMTPDataError):
                await speak(port, lambda line: line.sendmail("ada@example.com", boxes, raw), lmtp=False)
            assert inbox(database) == []
            await speak(port, lambda line: line.sendmail("ada@example.com", boxes, raw), lmtp=False)
            assert inbox(database) == [("reply", "new")] * 2


def _token(box: str) -> str:
    return box.partition("+")[2].partition("@")[0]


def _lmtp(port: int, boxes: list[str], raw: bytes) -> list[int]:
    """Deliver to several mailboxes; smtplib reads one answer only, LMTP gives one for each."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line, line.makefile("rb") as answers:

        def say(words: bytes) -> int:
            line.sendall(words + b"\r\n")
            return hear()

        def hear() -> int:
            while (told := answers.readline())[3:4] == b"-":
                pass
            return int(told[:3])

        assert hear() == 220
        assert [say(b"LHLO x"), say(b"MAIL FROM:<ada@example.com>")] == [250, 250]
        assert [say(f"RCPT TO:<{box}>".encode()) for box in boxes] == [250] * len(boxes)
        assert say(b"DATA") == 354
        first = say(raw + b"\r\n.")
        return [first, *(hear() for _ in boxes[1:])]
