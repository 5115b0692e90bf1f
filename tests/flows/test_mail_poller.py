"""Mail fetched from a mailbox: each once, in order, marked when it is stored, left alone when it cannot be."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from channels.email.imap import Mailbox, MailboxAwayError, MailboxOptions, MailboxRefusedError
from outreach.flows import mail as flow
from outreach.flows.house import House
from outreach.workers import mail_poller
from outreach.workers.mail_poller import NotTakenError, Poller
from tests.support.book import Someone
from tests.support.house import clock_of, rows
from tests.support.imap_server import PASSWORD, USER, ImapServer, imap_server, serving_tls
from tests.support.mail import a_house_that_wrote, answer, bounce
from tests.support.touching import run_intake

SEEN, FLAGGED = r"\Seen", r"\Flagged"


@pytest.fixture
def server() -> Iterator[ImapServer]:
    with imap_server() as running:
        yield running


def options(server: ImapServer, **more: Any) -> MailboxOptions:
    base = MailboxOptions("127.0.0.1", server.port, "none", USER, PASSWORD, answer_seconds=10.0)
    return replace(base, **more)


def poller(house: House, server: ImapServer, **more: Any) -> Poller:
    return Poller(house, options(server, **more))


def inbox(database: str) -> list[tuple[Any, ...]]:
    return rows(database, "select kind, state from inbox order by kind, inbox_id")


def alerts(database: str) -> list[tuple[Any, ...]]:
    return rows(database, "select kind, subject from alert where closed_at is null order by kind")


def mark(database: str) -> int:
    return int(rows(database, "select seen_uid from mailbox")[0][0])


NAME = f"{USER}@127.0.0.1/INBOX"


async def test_what_is_in_the_mailbox_is_taken_once_and_marked_as_read(database: str, server: ImapServer) -> None:
    async with a_house_that_wrote(database, ada := Someone()) as (house, (letter,)):
        server.add(bounce(letter, "4.4.1", "delayed"))
        server.add(answer(letter, "I am away\n", Auto_Submitted="auto-replied"))
        server.add(answer(letter, "STOP\n"))
        one = poller(house, server)
        assert [await one.look(), await one.look()] == [3, 0]
        assert inbox(database) == [("receipt", "new"), ("reply", "new")]
        assert server.flags() == [{SEEN}] * 3
        assert mark(database) == 3
        server.add(bounce(letter))
        assert await poller(house, server).look() == 1
        await run_intake(house)
        state = rows(database, "select state from contact_point where contact_point_id = %s", ada.email_id)
        assert state == [("invalid",)]


@pytest.mark.parametrize("can_move", [True, False], ids=["move", "copy"])
async def test_taken_mails_are_moved_where_a_folder_is_named(database: str, can_move: bool) -> None:
    with imap_server(can_move=can_move) as server:
        async with a_house_that_wrote(database, Someone()) as (house, (letter,)):
            server.add(answer(letter))
            assert await poller(house, server, move_to="Done").look() == 1
            assert len(server.folders["Done"].mails) == 1
            left = server.flags()
            assert left == ([] if can_move else [{r"\Deleted"}])


async def test_the_same_mail_again_under_another_uid_is_one_reply(database: str, server: ImapServer) -> None:
    async with a_house_that_wrote(database, Someone()) as (house, (letter,)):
        server.add(answer(letter))
        server.add(b"Received: from elsewhere\r\n" + answer(letter))
        assert await poller(house, server).look() == 2
        assert inbox(database) == [("reply", "new")]


async def test_when_the_server_numbers_anew_everything_is_read_again_and_nothing_is_taken_twice(
    database: str, server: ImapServer
) -> None:
    async with a_house_that_wrote(database, Someone()) as (house, (letter,)):
        server.add(answer(letter))
        server.add(answer(letter, Message_ID="<a2@borrower.example.com>"))
        await poller(house, server).look()
        server.folders["INBOX"].validity = 2
        for uid, each in enumerate(server.folders["INBOX"].mails, 1):
            each.uid = 10 - uid
        server.folders["INBOX"].following = 11
        server.add(answer(letter, "STOP\n", Message_ID="<a3@borrower.example.com>"))
        assert await poller(house, server).look() == 3
        assert inbox(database) == [("reply", "new")] * 3


async def test_a_mail_too_large_to_fetch_is_cut_behind_the_words(database: str, server: ImapServer) -> None:
    async with a_house_that_wrote(database, Someone()) as (house, (letter,)):
        server.add(answer(letter, "STOP\n") + b"x" * 500_000)
        assert await poller(house, server, max_bytes=70_000).look() == 1
        assert rows(database, "select count(*) from suppression") == [(4,)]


class TestWhatGoesWrong:
    """Nothing is marked that is not stored; nothing waits for ever behind one mail."""

    async def test_a_store_that_is_away_leaves_the_mail_for_the_next_look(
        self, database: str, server: ImapServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with a_house_that_wrote(database, Someone()) as (house, (letter,)):
            server.add(answer(letter, "STOP\n"))
            one = poller(house, server)
            with monkeypatch.context() as away:
                away.setattr(flow, "store_news", _raise(psycopg.OperationalError("away")))
                for _ in range(flow.MOST_TRIES + 2):
                    with pytest.raises(psycopg.OperationalError):
                        await one.look()
            assert (server.flags(), mark(database), inbox(database)) == ([set()], 0, [])
            assert await one.look() == 1, "what the store broke off is not held against the mail"
            assert rows(database, "select count(*) from suppression") == [(4,)]
            assert server.flags() == [{SEEN}]

    async def test_a_mail_that_cannot_be_taken_is_parked_with_an_alert_and_those_behind_it_are_taken(
        self, database: str, server: ImapServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with a_house_that_wrote(database, Someone()) as (house, (letter,)):
            server.add(answer(letter, "poison\n"))
            server.add(answer(letter, "STOP\n", Message_ID="<a2@borrower.example.com>"))
            store_news = flow.store_news

            async def picky(house: House, tx: Any, channel: str, news: Any, heard: Any) -> Any:
                if news[0].text == "poison":
                    raise ValueError("ada@example.com")
                return await store_news(house, tx, channel, news, heard)

            monkeypatch.setattr(flow, "store_news", picky)
            one = poller(house, server, move_to="Done")
            for _ in range(flow.MOST_TRIES):
                with pytest.raises(NotTakenError):
                    await one.look()
            assert await one.look() == 1
            assert inbox(database) == [("reply", "new")]
            assert server.flags() == [{FLAGGED}], "left in the mailbox for a person"
            assert alerts(database) == [("mail.parked", f"{NAME}#1")]
            assert await one.look() == 0
        assert "ada@" not in caplog.text

    async def test_a_mail_that_ends_its_process_is_parked_all_the_same(self, database: str, server: ImapServer) -> None:
        async with a_house_that_wrote(database, Someone()) as (house, (letter,)):
            server.add(answer(letter))
            box = flow.OpenMailbox(NAME, 1, "died")
            assert await flow.hold_mailbox(house, box) == 0
            for _ in range(flow.MOST_TRIES):
                assert await flow.may_try(house, box, 1) is True  # and then the process was gone
            clock_of(house).instant += flow.LEASE
            assert await poller(house, server).look() == 0
            assert server.flags() == [{FLAGGED}]

    async def test_a_reader_that_died_before_it_marked_is_made_up_for(self, database: str, server: ImapServer) -> None:
        async with a_house_that_wrote(database, Someone()) as (house, (letter,)):
            server.add(answer(letter))
            server.answers = lambda said: "hang up" if "STORE" in said else None
            with pytest.raises(MailboxAwayError):
                await poller(house, server).look()
            assert (inbox(database), server.flags()) == ([("reply", "new")], [set()])
            server.answers = lambda _: None
            clock_of(house).instant += flow.LEASE
            assert await poller(house, server).look() == 0
            assert (inbox(database), server.flags()) == ([("reply", "new")], [{SEEN}])

    async def test_only_one_of_several_readers_reads(self, database: str, server: ImapServer) -> None:
        async with a_house_that_wrote(database, Someone()) as (house, (letter,)):
            server.add(answer(letter))
            box = flow.OpenMailbox(NAME, 1, "another")
            await flow.hold_mailbox(house, box)
            assert await poller(house, server).look() == 0
            assert inbox(database) == []
            await flow.release_mailbox(house, box, to_its_end=True)
            assert await poller(house, server).look() == 1

    async def test_who_lost_the_lease_takes_nothing_more(self, database: str) -> None:
        async with a_house_that_wrote(database) as (house, _):
            slow, other = flow.OpenMailbox(NAME, 1, "slow"), flow.OpenMailbox(NAME, 1, "other")
            await flow.hold_mailbox(house, slow)
            clock_of(house).instant += flow.LEASE + timedelta(seconds=1)
            await flow.hold_mailbox(house, other)
            assert await flow.may_try(house, slow, 1) is None
            assert await flow.may_try(house, other, 1) is True

    async def test_a_mail_that_is_gone_is_passed(self, database: str, server: ImapServer) -> None:
        async with a_house_that_wrote(database, Someone()) as (house, (letter,)):
            server.add(answer(letter))
            server.answers = lambda said: "OK nothing" if "FETCH" in said else None
            assert await poller(house, server).look() == 1
            assert (inbox(database), mark(database)) == ([], 1)


class TestTheServer:
    """Away is waited for, refused is told, TLS is believed only with a trusted certificate."""

    async def test_a_server_that_is_away_is_asked_less_and_less_and_alerted_when_it_lasts(
        self, database: str, server: ImapServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [1000.0]
        monkeypatch.setattr(mail_poller, "monotonic", lambda: now[0])
        server.answers = lambda _: "hang up"
        async with a_house_that_wrote(database) as (house, _):
            one = poller(house, server, every_seconds=60.0)
            assert one.wait_seconds() == 60
            longest = []
            for _ in range(5):
                await one.look_guarded()
                longest.append(max(one.wait_seconds() for _ in range(200)))
            assert 30 <= longest[0] <= 60 < longest[1] <= 120 < longest[2] <= 240 < longest[3] <= 300
            assert alerts(database) == []
            now[0] += mail_poller.AWAY_SECONDS
            await one.look_guarded()
            assert alerts(database) == [("mailbox.away", NAME)]
            server.answers = lambda _: None
            await one.look_guarded()
            assert alerts(database) == [], "a good look ends it"
            assert one.wait_seconds() == 60

    async def test_a_login_that_is_refused_is_alerted_at_once(self, database: str, server: ImapServer) -> None:
        async with a_house_that_wrote(database) as (house, _):
            await poller(house, server, password="wrong").look_guarded()
            assert alerts(database) == [("mailbox.refused", NAME)]

    async def test_a_login_that_is_refused_for_now_is_no_refusal(self, database: str, server: ImapServer) -> None:
        server.answers = lambda said: "NO [UNAVAILABLE] later" if said.startswith("LOGIN") else None
        async with a_house_that_wrote(database) as (house, _):
            await poller(house, server).look_guarded()
            assert alerts(database) == []

    def test_a_folder_that_does_not_exist_is_refused(self, server: ImapServer) -> None:
        with pytest.raises(MailboxRefusedError):
            Mailbox.open(options(server, folder="No such folder"))

    def test_tls_is_trusted_by_its_certificate_only(self, tmp_path: Path) -> None:
        context, trusted = serving_tls(tmp_path)
        with imap_server(context) as server:
            Mailbox.open(options(server, tls="implicit", ca_file=str(trusted))).close()
            assert server.said[0] == "CAPABILITY"
            with pytest.raises(MailboxRefusedError):
                Mailbox.open(options(server, tls="implicit"))

    def test_a_password_is_never_sent_where_tls_is_asked_for_and_not_offered(self, server: ImapServer) -> None:
        with pytest.raises(MailboxAwayError):
            Mailbox.open(options(server, tls="starttls"))
        assert not any(said.startswith("LOGIN") for said in server.said)

    def test_large_gaps_between_uids_are_crossed(self, server: ImapServer) -> None:
        server.folders["INBOX"].following = 25_001
        server.add(b"Subject: x\r\n\r\nx\r\n")
        mailbox = Mailbox.open(options(server))
        assert [mailbox.uids_after(0), mailbox.uids_after(25_000), mailbox.uids_after(25_001)] == [
            [25_001],
            [25_001],
            [],
        ]
        mailbox.close()

    def test_the_password_does_not_show_when_options_are_printed(self, server: ImapServer) -> None:
        assert PASSWORD not in repr(options(server))


def _raise(error: Exception) -> Any:
    async def failing(*_: Any) -> None:
        raise error

    return failing
