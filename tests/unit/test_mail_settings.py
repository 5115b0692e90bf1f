"""Settings of mail intake: nothing listens or logs in that would be unsafe, and each mistake is named."""

from pathlib import Path

import pytest

from outreach.mail_settings import load_listener, load_mail_intake, load_mailbox
from outreach.settings import SettingsError
from outreach.stack import is_wanted, read_procfile
from tests.support.imap_server import certificate

BOX = {
    "OUTREACH_IMAP_HOST": "imap.example.com",
    "OUTREACH_IMAP_USERNAME": "intake",
    "OUTREACH_IMAP_PASSWORD": "s3cret",
}


def test_nothing_is_configured_until_it_is_named() -> None:
    intake = load_mail_intake({"OUTREACH_INBOUND_MAIL_SECRET": ""})
    assert (intake.posted, intake.listener, intake.mailbox) == (False, None, None)


def test_on_the_loopback_only_the_loopback_may_deliver() -> None:
    listener = load_listener({"OUTREACH_MAIL_LISTEN": "lmtp://127.0.0.1:8024"})
    assert listener is not None
    assert (listener.place, listener.lmtp, listener.tls_context()) == ("lmtp://127.0.0.1:8024", True, None)
    told = {peer: listener.admits(peer) for peer in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.5", "nonsense")}
    assert told == {"127.0.0.1": True, "::1": True, "::ffff:127.0.0.1": True, "10.0.0.5": False, "nonsense": False}


def test_off_the_loopback_peers_and_tls_are_needed(tmp_path: Path) -> None:
    env = {"OUTREACH_MAIL_LISTEN": "smtp://10.0.0.1:25"}
    with pytest.raises(SettingsError, match="OUTREACH_MAIL_LISTEN_FROM: expected"):
        load_listener(env)
    env["OUTREACH_MAIL_LISTEN_FROM"] = "10.0.0.5/32, 10.0.1.0/24"
    with pytest.raises(SettingsError, match="OUTREACH_MAIL_LISTEN_CERT: expected"):
        load_listener(env)
    cert, key = certificate(tmp_path)
    env["OUTREACH_MAIL_LISTEN_CERT"] = str(cert)
    with pytest.raises(SettingsError, match="OUTREACH_MAIL_LISTEN_KEY: expected"):
        load_listener(env)
    env["OUTREACH_MAIL_LISTEN_KEY"] = str(cert)
    with pytest.raises(SettingsError, match="OUTREACH_MAIL_LISTEN_CERT: expected"):
        load_listener(env)
    listener = load_listener(env | {"OUTREACH_MAIL_LISTEN_KEY": str(key)})
    assert listener is not None
    assert [listener.admits(peer) for peer in ("10.0.0.5", "10.0.1.9", "127.0.0.1")] == [True, True, False]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OUTREACH_MAIL_LISTEN", "127.0.0.1:8024"),
        ("OUTREACH_MAIL_LISTEN", "lmtp://127.0.0.1"),
        ("OUTREACH_MAIL_LISTEN", "lmtp://127.0.0.1:99999"),
        ("OUTREACH_MAIL_LISTEN", "http://127.0.0.1:8024"),
        ("OUTREACH_MAIL_LISTEN_FROM", "10.0.0.5/8"),
        ("OUTREACH_MAIL_MAX_BYTES", "1"),
        ("OUTREACH_IMAP_TLS", "none"),
        ("OUTREACH_IMAP_TLS", "maybe"),
        ("OUTREACH_IMAP_PORT", "0"),
        ("OUTREACH_IMAP_PASSWORD", ""),
        ("OUTREACH_IMAP_USERNAME", "ünïcode"),
        ("OUTREACH_IMAP_FOLDER", "邮件"),
        ("OUTREACH_IMAP_MOVE_TO", "INBOX"),
        ("OUTREACH_IMAP_EVERY_SECONDS", "1"),
    ],
)
def test_a_setting_of_mail_intake_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: expected"):
        load_mail_intake({"OUTREACH_MAIL_LISTEN": "lmtp://127.0.0.1:8024", **BOX, name: value})


def test_a_mailbox_is_read_over_tls_unless_it_is_on_the_loopback() -> None:
    mailbox = load_mailbox(BOX)
    assert mailbox is not None
    assert (mailbox.tls, mailbox.port, mailbox.name) == ("implicit", 993, "intake@imap.example.com/INBOX")
    assert "s3cret" not in repr(mailbox)
    local = load_mailbox(BOX | {"OUTREACH_IMAP_HOST": "127.0.0.1", "OUTREACH_IMAP_TLS": "none"})
    assert local is not None
    assert (local.tls, local.port) == ("none", 143)


def test_the_lines_of_mail_intake_run_only_where_they_are_configured() -> None:
    lines = read_procfile()

    def wanted(**env: str) -> set[str]:
        return {name for name, command in lines.items() if is_wanted(command, env)}

    assert wanted(PORT="8080") == set(lines) - {"mail-listener", "mail-poller"}
    assert "mail-listener" in wanted(OUTREACH_MAIL_LISTEN="lmtp://127.0.0.1:8024")
    assert "mail-poller" in wanted(OUTREACH_IMAP_HOST="imap.example.com")
    assert "mail-poller" not in wanted(OUTREACH_IMAP_HOST="")
