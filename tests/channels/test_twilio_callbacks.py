"""Twilio's requests to us: proof of origin, and what they say."""

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from given import twilio_config
from hypothesis import given, settings
from hypothesis import strategies as st
from peers import ACCOUNT, AUTH_TOKEN, PERSON, PUBLIC_URL, SECOND_TOKEN, SENDER, signature

from channels.contract import Callback, Channel, Medium, Receipt, ReceiptStatus, Reply
from channels.errors import BadSignature, MalformedCallback
from channels.ivr.twilio import TwilioIvr
from channels.sms.twilio import TwilioSms
from channels.twilio_common import Signatures
from channels.voice.twilio import TwilioVoice

SID = "SM" + "c" * 32
CALL_SID = "CA" + "d" * 32
FORM = {"content-type": "application/x-www-form-urlencoded"}


def sms() -> TwilioSms:
    return TwilioSms(twilio_config("sms", "http://127.0.0.1:9", auth_token_secondary=SECOND_TOKEN))


def callback(
    fields: dict[str, str] | bytes, path: str = "/v1/callbacks/sms", query: str = "t=tok-1", token: str = AUTH_TOKEN
) -> Callback:
    body = fields if isinstance(fields, bytes) else urlencode({"AccountSid": ACCOUNT, **fields}).encode()
    url = PUBLIC_URL + path + (f"?{query}" if query else "")
    return Callback(path, query, {**FORM, "x-twilio-signature": signature(url, body, token)}, body)


def status(word: str, **fields: str) -> Callback:
    return callback({"MessageSid": SID, "MessageStatus": word, "To": PERSON, "From": SENDER, **fields})


VECTOR = "CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&Caller=%2B14158675309&To=%2B18005551212"
VECTORS: list[Any] = [
    ("https://mycompany.com", "/myapp.php", "foo=1&bar=2", VECTOR, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    ("http://mycompany.com:80", "/myapp.php", "foo=1&bar=2", VECTOR, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    ("https://mycompany.com:443", "/myapp.php", "foo=1&bar=2", VECTOR, "kvajT1Ptam85bY51eRf/AJRuM3w="),
]


@pytest.mark.parametrize(("base", "path", "query", "body", "mac"), VECTORS)
def test_twilios_published_signatures_verify(base: str, path: str, query: str, body: str, mac: str) -> None:
    body += f"&AccountSid={ACCOUNT}"
    own = Signatures(base, ACCOUNT, (AUTH_TOKEN,))
    plain = Callback(path, query, {**FORM, "x-twilio-signature": mac}, body.encode())
    with pytest.raises(BadSignature):  # the vector does not cover our added AccountSid
        own.check(plain)
    assert own.signs(plain, parse_qsl(body.rpartition("&")[0]))


def test_repeated_fields_verify_as_twilio_signs_them() -> None:
    body = b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234"
    made = Callback("/myapp.php", "foo=1&bar=2", {**FORM, "x-twilio-signature": "IK+Dwps556ElfBT0I3Rgjkr1wJU="}, body)
    assert Signatures("https://mycompany.com", ACCOUNT, (AUTH_TOKEN,)).signs(made, parse_qsl(body.decode()))


def test_a_json_body_verifies_by_its_signed_hash_only() -> None:
    body = b'{"property": "value", "boolean": true}'
    digest = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
    headers = {"content-type": "application/json", "x-twilio-signature": "a9nBmqA0ju/hNViExpshrM61xv4="}
    own = Signatures("https://mycompany.com", ACCOUNT, (AUTH_TOKEN,))
    assert hashlib.sha256(body).hexdigest() == digest
    own.check(Callback("/myapp.php", f"foo=1&bar=2&bodySHA256={digest}", headers, body))
    with pytest.raises(BadSignature):
        own.check(Callback("/myapp.php", f"foo=1&bar=2&bodySHA256={digest}", headers, body + b" "))
    with pytest.raises(BadSignature):
        own.check(Callback("/myapp.php", "foo=1&bar=2", headers, body))


def test_a_shared_key_signature_verifies_by_the_key_it_names() -> None:
    body = urlencode({"AccountSid": ACCOUNT, "MessageSid": SID}).encode()
    text = f"{PUBLIC_URL}/v1/callbacks/sms?t=1AccountSid{ACCOUNT}MessageSid{SID}"
    mac = base64.b64encode(hmac.new(b"shared", text.encode(), hashlib.sha256).digest()).decode()
    own = Signatures(PUBLIC_URL, ACCOUNT, (AUTH_TOKEN,), {"k1": "shared"})

    def asked(settings_header: str, given_mac: str = mac) -> Callback:
        named = {"x-twilio-webhooks-signature-settings": settings_header, "x-twilio-signature": given_mac}
        return Callback("/v1/callbacks/sms", "t=1", {**FORM, **named}, body)

    own.check(asked("key=k1,algorithm=HMAC_SHA256"))
    for header in ("key=k2,algorithm=HMAC_SHA256", "key=k1", "algorithm=HMAC_SHA256", "key=k1,algorithm=NONE"):
        with pytest.raises(BadSignature):
            own.check(asked(header))
    # The auth token must not pass as a shared key.
    forged = base64.b64encode(hmac.new(AUTH_TOKEN.encode(), text.encode(), hashlib.sha256).digest()).decode()
    with pytest.raises(BadSignature):
        own.check(asked("key=k1,algorithm=HMAC_SHA256", forged))


@pytest.mark.parametrize("token", [AUTH_TOKEN, SECOND_TOKEN])
def test_either_token_verifies_while_they_rotate(token: str) -> None:
    sms().verify(callback({"MessageSid": SID}, token=token))


@pytest.mark.parametrize("base", ["https://mycompany.com:443", "https://mycompany.com"])
def test_a_port_written_or_left_out_verifies(base: str) -> None:
    made = Callback("/myapp.php", "foo=1&bar=2", {**FORM, "x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}, b"")
    assert Signatures(base, ACCOUNT, (AUTH_TOKEN,)).signs(made, parse_qsl(VECTOR))


@pytest.mark.parametrize("query", ["t=it's", "t=it%27s", "t=a+b&x=", "t=a&t=b", ""])
def test_the_raw_query_is_what_is_signed(query: str) -> None:
    sms().verify(callback({"Body": "您好 + 100% é", "Empty": ""}, query=query))


def forgeries() -> list[Any]:
    good = status("delivered")
    other_account = urlencode({"AccountSid": "AC" + "f" * 32, "MessageSid": SID}).encode()
    return [
        pytest.param(Callback(good.path, good.query, FORM, good.body), id="missing signature"),
        pytest.param(Callback(good.path, good.query, {**FORM, "x-twilio-signature": ""}, good.body), id="empty"),
        pytest.param(Callback(good.path, "t=tok-2", good.headers, good.body), id="another attempt's token"),
        pytest.param(Callback("/v1/callbacks/ivr", good.query, good.headers, good.body), id="another path"),
        pytest.param(Callback(good.path, good.query, good.headers, good.body + b"&ErrorCode=30005"), id="added field"),
        pytest.param(callback({"MessageSid": SID}, token="wrong"), id="wrong token"),
        pytest.param(callback({"MessageSid": SID}, token=""), id="empty token"),
        pytest.param(callback(other_account), id="another account"),
        pytest.param(callback(b""), id="empty body"),
        pytest.param(Callback(good.path, good.query, good.headers, b"\xff\xfe"), id="not UTF-8"),
    ]


@pytest.mark.parametrize("forged", forgeries())
def test_a_forged_callback_is_refused_without_saying_why(forged: Callback) -> None:
    with pytest.raises(BadSignature) as caught:
        sms().verify(forged)
    assert str(caught.value) == "not signed by the provider for this account"
    assert caught.value.__cause__ is None


@given(
    body=st.binary(max_size=200),
    query=st.text(max_size=50),
    header=st.text(max_size=60),
    settings_=st.text(max_size=40),
)
@settings(max_examples=150, deadline=None)
def test_nothing_sent_to_us_raises_anything_but_bad_signature(
    body: bytes, query: str, header: str, settings_: str
) -> None:
    headers = {
        "x-twilio-signature": header,
        "x-twilio-webhooks-signature-settings": settings_,
        "content-type": "application/json" if len(body) % 2 else "",
    }
    with pytest.raises(BadSignature):
        Signatures(PUBLIC_URL, ACCOUNT, (AUTH_TOKEN,)).check(Callback("/v1/callbacks/sms", query, headers, body))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("queued", "accepted"), ("accepted", "accepted"), ("sending", "sending"), ("sent", "sent"),
        ("delivered", "delivered"), ("read", "read"), ("canceled", "cancelled"), ("partially_delivered", "sent"),
    ],
)  # fmt: skip
def test_progress_of_a_text_is_told_in_our_words(word: str, expected: str) -> None:
    (receipt,) = sms().parse(status(word))
    assert receipt == Receipt(
        dedupe_key=f"{SID}:{word}", status=ReceiptStatus(expected), token="tok-1", provider_ref=SID
    )


@pytest.mark.parametrize(
    ("word", "code", "error_class"),
    [
        ("undelivered", "30005", "bad_address"), ("undelivered", "30003", "unavailable"),
        ("failed", "21610", "opted_out"),
        ("undelivered", "30007", "content_refused"), ("failed", "30034", "misconfigured"),
        ("undelivered", "30410", "outcome_unknown"), ("failed", "12345", "rejected"), ("failed", "", "rejected"),
        ("delivered", "30007", None),
    ],
)  # fmt: skip
def test_a_failed_text_says_whose_fault_it_is(word: str, code: str, error_class: str | None) -> None:
    (receipt,) = sms().parse(status(word, ErrorCode=code))
    assert isinstance(receipt, Receipt)
    assert (receipt.error_class, receipt.provider_code) == (error_class, code or None)


def test_a_repeated_callback_has_the_same_key_and_another_status_has_not() -> None:
    first, again, later = (next(iter(sms().parse(status(word)))) for word in ("sent", "sent", "delivered"))
    assert first.dedupe_key == again.dedupe_key != later.dedupe_key


def test_a_text_from_a_person_is_a_reply_with_twilios_own_keyword() -> None:
    fields = {
        "MessageSid": SID,
        "SmsStatus": "received",
        "From": PERSON,
        "To": SENDER,
        "Body": " Stop\n",
        "OptOutType": "STOP",
    }
    (reply,) = sms().parse(callback(fields, query=""))
    assert reply == Reply(
        dedupe_key=f"{SID}:received", medium=Medium.SMS, address=PERSON, text=" Stop\n", provider_ref=SID,
        provider_keyword="STOP", to=SENDER,
    )  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"MessageStatus": "delivered"},
        {"MessageSid": SID, "MessageStatus": "exploded"},
        {"SmsStatus": "received"},
        b"\xff",
    ],
)
def test_a_callback_out_of_form_is_malformed_and_not_quoted(fields: Any) -> None:
    with pytest.raises(MalformedCallback) as caught:
        list(sms().parse(callback(fields) if isinstance(fields, dict) else Callback("/x", "", FORM, fields)))
    assert "exploded" not in str(caught.value)


# --- calls ------------------------------------------------------------------------------------------------------------


def calls(kind: Any) -> Any:
    return kind(twilio_config("ivr", "http://127.0.0.1:9"))


def progress(word: str, **fields: str) -> Callback:
    common = {"CallSid": CALL_SID, "CallStatus": word, "Direction": "outbound-api", "To": PERSON, "From": SENDER}
    return callback(common | fields, path="/v1/callbacks/ivr")


both = pytest.mark.parametrize("kind", [TwilioVoice, TwilioIvr])


@both
@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("initiated", "sending"), ("ringing", "ringing"), ("in-progress", "answered"), ("completed", "completed"),
        ("busy", "busy"), ("no-answer", "no_answer"), ("failed", "failed"), ("canceled", "cancelled"),
    ],
)  # fmt: skip
def test_progress_of_a_call_is_told_in_our_words(kind: Any, word: str, expected: str) -> None:
    (receipt,) = calls(kind).parse(progress(word))
    assert (receipt.status, receipt.token, receipt.provider_ref) == (ReceiptStatus(expected), "tok-1", CALL_SID)


@both
@pytest.mark.parametrize(
    ("fields", "code", "error_class"),
    [
        ({"SipResponseCode": "404"}, "sip_404", "bad_address"), ({"SipResponseCode": "484"}, "sip_484", "bad_address"),
        ({"SipResponseCode": "503"}, "sip_503", "unavailable"), ({"SipResponseCode": "408"}, "sip_408", "unavailable"),
        ({"ErrorCode": "13224"}, "13224", "bad_address"), ({"ErrorCode": "10004"}, "10004", "unavailable"),
        ({}, None, "unavailable"),
    ],
)  # fmt: skip
def test_a_failed_call_tells_a_bad_number_from_a_bad_network(
    kind: Any, fields: dict[str, str], code: str | None, error_class: str
) -> None:
    (receipt,) = calls(kind).parse(progress("failed", **fields))
    assert (receipt.provider_code, receipt.error_class) == (code, error_class)


@both
@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("human", "human"), ("machine_start", "machine"), ("machine_end_beep", "machine"), ("fax", "fax"),
        ("unknown", "unknown"), ("martian", "unknown"),
    ],
)  # fmt: skip
def test_who_answered_and_for_how_long(kind: Any, word: str, expected: str) -> None:
    (receipt,) = calls(kind).parse(progress("completed", AnsweredBy=word, CallDuration="37"))
    assert (receipt.answered_by, receipt.duration_seconds, receipt.error_class) == (expected, 37, None)


@both
def test_who_answered_is_news_even_when_the_status_was_known(kind: Any) -> None:
    channel = calls(kind)
    keys = {
        next(iter(channel.parse(progress("in-progress", **extra)))).dedupe_key
        for extra in ({}, {"AnsweredBy": "human"})
    }
    assert len(keys) == 2


def test_the_request_for_a_calls_first_words_carries_its_token_in_the_path() -> None:
    asked = callback({"CallSid": CALL_SID, "CallStatus": "in-progress", "AnsweredBy": "human"}, "/v1/calls/tok-9", "")
    (receipt,) = calls(TwilioIvr).parse(asked)
    assert (receipt.token, receipt.status, receipt.answered_by) == ("tok-9", ReceiptStatus.ANSWERED, "human")


def gathered(turn: str = "turn=1", **fields: str) -> Callback:
    common = {
        "CallSid": CALL_SID,
        "CallStatus": "in-progress",
        "Direction": "outbound-api",
        "To": PERSON,
        "From": SENDER,
    }
    return callback(common | fields, "/v1/calls/tok-9", turn)


def test_keys_and_speech_are_replies_of_the_person_called() -> None:
    channel = calls(TwilioIvr)
    (keys,) = channel.parse(gathered(Digits="12"))
    (speech,) = channel.parse(gathered(SpeechResult="next Friday", Confidence="0.83"))
    assert (keys.digits, keys.text, keys.address, keys.to, keys.token) == ("12", None, PERSON, SENDER, "tok-9")
    assert (speech.text, speech.confidence, speech.medium) == ("next Friday", 0.83, Medium.IVR)


def test_the_same_key_in_two_turns_is_two_replies_and_a_repeat_is_one() -> None:
    channel = calls(TwilioIvr)
    one, again, two = (
        next(iter(channel.parse(made))).dedupe_key
        for made in (gathered("turn=1", Digits="1"), gathered("turn=1", Digits="1"), gathered("turn=2", Digits="1"))
    )
    assert one == again != two


def test_digits_are_not_in_the_dedupe_key() -> None:
    one, two = (next(iter(calls(TwilioIvr).parse(gathered(Digits=digits)))).dedupe_key for digits in ("0412", "9999"))
    assert one == two


@pytest.mark.parametrize("fields", [{}, {"Digits": ""}, {"SpeechResult": ""}])
def test_silence_is_no_reply(fields: dict[str, str]) -> None:
    assert [type(news) for news in calls(TwilioIvr).parse(gathered(**fields))] == [Receipt]


@pytest.mark.parametrize("confidence", ["nan", "2", "-1", "high", ""])
def test_a_confidence_that_makes_no_sense_is_not_said(confidence: str) -> None:
    (reply,) = calls(TwilioIvr).parse(gathered(SpeechResult="yes", Confidence=confidence))
    assert reply.confidence is None


@both
def test_a_call_somebody_makes_to_us_is_no_news_of_an_attempt(kind: Any) -> None:
    assert list(calls(kind).parse(progress("ringing", Direction="inbound"))) == []


def test_adapters_satisfy_the_contract() -> None:
    channels: list[Channel] = [sms(), calls(TwilioVoice), calls(TwilioIvr)]
    assert {channel.medium for channel in channels} == {Medium.SMS, Medium.VOICE, Medium.IVR}
