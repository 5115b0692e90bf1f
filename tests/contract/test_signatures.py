"""Twilio's signatures by three hands: ours, the sandbox's, and the SDK's, which none of the others is made of."""

import string
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from channels.contract import Callback
from channels.errors import BadSignature
from channels.sandbox.deliveries import twilio_signature
from channels.twilio_common import Signatures

ACCOUNT, TOKEN, BASE = "AC" + "0" * 32, "12345", "https://outreach.example.com"
PATHS = st.sampled_from(["/v1/callbacks/sms", "/v1/callbacks/sms/one", "/v1/calls/tok3nA", "/v1/calls/tok/turn"])
NAMES = st.text(string.ascii_letters + string.digits, min_size=1, max_size=8)
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)
QUERIES = st.one_of(
    st.just(""),
    st.dictionaries(st.text(string.ascii_letters, min_size=1, max_size=4), st.text(max_size=12), max_size=3).map(
        urlencode
    ),
    st.sampled_from(["t=it's", "t=it%27s", "t=a+b&x=", "n=3&t=1"]),
)
FORMS = st.dictionaries(NAMES, VALUES, max_size=6).map(lambda form: form | {"AccountSid": ACCOUNT})
OURS = Signatures(BASE, ACCOUNT, (TOKEN,))


def callback(path: str, query: str, form: dict[str, str], signature: str) -> Callback:
    headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature}
    return Callback(path, query, headers, urlencode(form).encode())


def accepted(made: Callback) -> bool:
    try:
        OURS.check(made)
    except BadSignature:
        return False
    return True


@given(path=PATHS, query=QUERIES, form=FORMS)
@settings(max_examples=100, deadline=None)
def test_all_three_agree_on_every_request(path: str, query: str, form: dict[str, str]) -> None:
    url = BASE + path + (f"?{query}" if query else "")
    by_sdk = RequestValidator(TOKEN).compute_signature(url, form)
    assert twilio_signature(TOKEN, url, form) == by_sdk
    assert RequestValidator(TOKEN).validate(url, form, twilio_signature(TOKEN, url, form))
    assert accepted(callback(path, query, form, by_sdk))


@given(path=PATHS, query=QUERIES, form=FORMS, change=st.sampled_from(["token", "path", "query", "value", "field"]))
@settings(max_examples=100, deadline=None)
def test_whatever_is_changed_after_signing_is_refused_by_both(
    path: str, query: str, form: dict[str, str], change: str
) -> None:
    url = BASE + path + (f"?{query}" if query else "")
    signature = RequestValidator("other" if change == "token" else TOKEN).compute_signature(url, form)
    path = path + "x" if change == "path" else path
    query = (f"{query}&" if query else "") + "z=9" if change == "query" else query
    if change == "value":
        form = form | {"Added": "x"}
    if change == "field":
        form = {**form, "AccountSid": "AC" + "1" * 32}
    url = BASE + path + (f"?{query}" if query else "")
    assert not RequestValidator(TOKEN).validate(url, form, signature)
    assert not accepted(callback(path, query, form, signature))
