"""Signed emails verify with a second implementation (dkimpy), and nothing that matters can be changed or added."""

import base64
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from channels.contract import ChannelConfig, Mail
from channels.email.dkim import KeyProblemError, Signer
from channels.email.mime import Letterhead
from channels.email.smtp import SmtpOptions
from channels.errors import ConfigError
from channels.options import read_options

AT = datetime(2026, 11, 22, 15, 0, 5, tzinfo=UTC)
HOUSE = Letterhead.of(
    "Example Bank", "pay@mail.example.com", "reply@mail.example.com", "bounce@mail.example.com",
    "https://o.example.com/", "early:harbour:reminder:example",
)  # fmt: skip
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED = ed25519.Ed25519PrivateKey.generate()


def pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def dns(name: bytes, timeout: int = 5) -> bytes:
    """Answer like the DNS of mail.example.com."""
    if name == b"r1._domainkey.mail.example.com.":
        public = RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    return b"v=DKIM1; k=rsa; p="


def written(mail: Mail) -> bytes:
    return HOUSE.build(mail, "ana@borrower.example.com", "0190-att-1", "tok-1", AT)


WORDS = [
    "Hello Ana,\n.\n..dots\nFrom here on\n-- \nBank\n",
    "trailing \t \nspaces  \n\n\n\n",
    "您好，您的还款日是三月三日。\n" * 20,
    "Hola señora Ñandú\n",
    "",
]


@pytest.mark.parametrize("words", WORDS, ids=range(len(WORDS)))
@pytest.mark.parametrize("html", [None, "<p>Hello   Ana</p>"], ids=["plain", "html"])
def test_a_second_implementation_verifies_what_was_signed(words: str, html: str | None) -> None:
    raw = Signer.of("mail.example.com", "r1", pem(RSA)).sign(written(Mail("Your payment — due", words, html)), AT)

    assert dkim.verify(raw, dnsfunc=dns)
    assert raw.endswith(written(Mail("Your payment — due", words, html)))


@pytest.mark.parametrize(
    "change",
    [
        (b"Hello", b"Hallo"),
        (b"Subject: ", b"Subject: Re: "),
        (b"From: ", b"From: eve@example.com\r\nFrom: "),
        (b"To: ", b"To: eve@example.com\r\nTo: "),
        (b"Date: ", b"Subject: another\r\nDate: "),
        (b"/v1/unsubscribe/tok-1", b"/v1/unsubscribe/tok-2"),
    ],
    ids=["words", "subject", "second from", "second to", "second subject", "unsubscribe"],
)
def test_a_change_breaks_the_signature(change: tuple[bytes, bytes]) -> None:
    raw = Signer.of("mail.example.com", "r1", pem(RSA)).sign(written(Mail("Your payment", "Hello Ana\n")), AT)
    head, _, rest = raw.partition(b"\r\nFrom: ")
    changed = head + (b"\r\nFrom: " + rest).replace(*change, 1)

    assert changed != raw
    assert not dkim.verify(changed, dnsfunc=dns)


def test_relays_may_fold_and_trim() -> None:
    raw = Signer.of("mail.example.com", "r1", pem(RSA)).sign(written(Mail("Your payment", "Hello Ana\n")), AT)

    assert dkim.verify(raw.replace(b"Auto-Submitted: auto", b"Auto-Submitted:\r\n  auto") + b"\r\n\r\n", dnsfunc=dns)


def test_ed25519_signs_the_digest_of_the_same_words() -> None:
    raw = Signer.of("mail.example.com", "e1", pem(ED)).sign(written(Mail("Your payment", "Hello Ana\n")), AT)

    assert b"a=ed25519-sha256" in raw.partition(b"\r\n\r\n")[0]
    assert len(raw.partition(b" b=")[2].partition(b"\r\nFrom")[0].replace(b"\r\n ", b"")) == 88


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(RSA).replace("M", "N", 3),
    ],
    ids=["nothing", "broken", "curve", "damaged"],
)
def test_a_key_that_cannot_sign_is_refused_without_being_shown(bad: str) -> None:
    with pytest.raises(KeyProblemError) as refused:
        Signer.of("mail.example.com", "r1", bad)

    assert "BEGIN" not in str(refused.value)


def test_the_settings_name_what_is_missing_for_signing() -> None:
    options = {"host": "127.0.0.1", "port": 25, "tls": "none", "from_address": "pay@mail.example.com"}
    keyed = options | {"dkim_private_key": pem(RSA)}
    with pytest.raises(ConfigError, match="dkim_private_key needs dkim_selector"):
        read_options(SmtpOptions, ChannelConfig("email", "smtp", "https://o.example.com", keyed))
    with pytest.raises(ConfigError, match="not an unencrypted PEM private key") as refused:
        read_options(
            SmtpOptions,
            ChannelConfig(
                "email",
                "smtp",
                "https://o.example.com",
                options | {"dkim_private_key": "s3cret", "dkim_selector": "r1"},
            ),
        )
    assert "s3cret" not in str(refused.value)
    signer = read_options(
        SmtpOptions, ChannelConfig("email", "smtp", "https://o.example.com", keyed | {"dkim_selector": "r1"})
    ).signer()
    assert repr(signer) == "Signer(r1._domainkey.mail.example.com)"


def test_feedback_id_is_on_the_letterhead() -> None:
    assert b"\r\nFeedback-ID: early:harbour:reminder:example\r\n" in written(Mail("Your payment", "Hello Ana\n"))
