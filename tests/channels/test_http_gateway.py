"""The generic gateway: what its block says is what goes over the wire, and how answers and callbacks are read."""

import asyncio
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from given import GATEWAY, NOW, TEXT, gateway_config, outbound
from peers import PERSON, PUBLIC_URL, SENDER, Behaviour, Hang, Provider, ResetAfter, Say, Seen, patience

from channels import errors
from channels.contract import (
    Accepted,
    Acknowledges,
    Callback,
    Found,
    LooksUp,
    LookupKey,
    Medium,
    Receipt,
    ReceiptStatus,
    Reply,
    Text,
)
from channels.errors import BadSignature, ConfigError, MalformedCallback
from channels.sms.http_gateway import make_gateway

GOOD = Say(200, {"code": 0, "id": "gw-1", "parts": 2})
LOOK_UP = {
    "url": "/v1/find", "fields": {"client": "{attempt_id}"}, "items": "/found",
    "match": {"/client": "{attempt_id}", "/to": "{digits}"}, "reference": "/id", "status": "/state",
    "statuses": {"DELIVRD": "delivered"}, "code": "/error",
}  # fmt: skip


def made(url: str, **options: Any) -> Any:
    if "look_up" in options:
        options["look_up"] = options["look_up"] | {"url": url + options["look_up"]["url"]}
    return make_gateway(gateway_config("gw", url, **options), lambda: NOW)


def sent(said: Behaviour = GOOD, what: Any = None, **options: Any) -> tuple[Accepted | errors.SendError, list[Seen]]:
    async def main() -> tuple[Accepted | errors.SendError, list[Seen]]:
        async with Provider() as provider:
            provider.default = said
            channel = made(provider.url, **options)
            try:
                return await channel.send(what or outbound(TEXT)), provider.seen
            except errors.SendError as error:
                return error, provider.seen
            finally:
                await channel.close()

    return asyncio.run(main())


def request(**changes: Any) -> dict[str, Any]:
    return GATEWAY["request"] | changes


def answer(**changes: Any) -> dict[str, Any]:
    return GATEWAY["answer"] | changes


def test_a_json_request_is_what_the_block_says() -> None:
    accepted, (seen,) = sent(what=outbound(Text('¡Hola {Ana}! 您好 "q" \\ ref 8F3K')))
    assert accepted == Accepted("gw-1", segments=2)
    assert (seen.method, seen.path, seen.query) == ("POST", "/v1/messages", {})
    assert json.loads(seen.body) == {
        "to": PERSON[1:], "from": SENDER, "text": "¡Hola {Ana}! 您好 \"q\" \\ ref 8F3K", "ttl": 7200,
        "client": {"id": "0190-att-1", "callback": f"{PUBLIC_URL}/v1/callbacks/gw?t=tok_EN-123"},
    }  # fmt: skip
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["authorization"] == "Bearer s3cret-api"


def test_form_and_query_requests_carry_the_words_exactly() -> None:
    words = "100% + a&b=c; %20 \r\n— 您好"
    fields = {"to": "{address}", "text": "{body}", "key": "{secret.api}", "fixed": "{{x}}"}
    _, (form,) = sent(what=outbound(Text(words)), request=request(body="form", fields=fields), auth=None)
    assert (form.one("to"), form.one("text"), form.one("key")) == (PERSON, words, "s3cret-api")
    assert form.one("fixed") == "{x}"
    got = request(method="GET", body="query", fields=fields, headers={"X-Attempt": "{attempt_id}"})
    _, (query,) = sent(what=outbound(Text(words)), request=got, auth=None)
    assert (query.method, query.body) == ("GET", b"")
    assert query.query == {"to": [PERSON], "text": [words], "key": ["s3cret-api"], "fixed": ["{x}"]}
    assert query.headers["x-attempt"] == "0190-att-1"


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_no_method_is_repeated_by_the_client_library(method: str) -> None:
    body = "query" if method == "GET" else "json"
    fields = {"to": "{address}", "text": "{body}"}
    error, seen = sent(ResetAfter(), request=request(method=method, body=body, fields=fields))
    assert (type(error), len(seen)) == (errors.OutcomeUnknown, 1)


def test_a_basic_and_a_key_header_sign_in() -> None:
    _, (basic,) = sent(auth={"kind": "basic", "username": "bank", "secret": "api"})
    assert basic.headers["authorization"] == "Basic YmFuazpzM2NyZXQtYXBp"
    _, (key,) = sent(auth={"kind": "header", "name": "X-Api-Key", "secret": "api", "prefix": "key "})
    assert key.headers["x-api-key"] == "key s3cret-api"


def test_an_hmac_covers_the_bytes_that_leave() -> None:
    over = "{timestamp}|{method}|{path}|{payload}"
    auth = {"kind": "hmac", "header": "X-Mac", "secret": "api", "algorithm": "sha512", "prefix": "v1=", "over": over}
    _, (seen,) = sent(what=outbound(Text("您好")), auth=auth, request=request(headers={"X-Time": "{timestamp}"}))
    signed = f"{seen.headers['x-time']}|POST|/v1/messages|".encode() + seen.body
    assert seen.headers["x-mac"] == "v1=" + hmac.new(b"s3cret-api", signed, hashlib.sha512).hexdigest()


@pytest.mark.parametrize(
    ("rules", "said", "expected", "code"),
    [
        ({"success": None, "code": None, "codes": {}}, Say(202, {"id": 7}), Accepted("7"), None),
        ({"reference": None}, Say(200, {"code": "0"}), Accepted("0190-att-1"), None),
        ({"success_statuses": [201]}, Say(200, {"code": 0, "id": "x"}), errors.OutcomeUnknown, None),
        ({"statuses": {402: "misconfigured"}}, Say(402, {"x": 1}), errors.Misconfigured, None),
        ({"statuses": {503: "unavailable"}}, Say(503, "later"), errors.Unavailable, None),
        ({"codes": {"503": "throttled"}}, Say(503, {"code": 503}, {"Retry-After": "9"}), errors.Throttled, "503"),
        ({"unlisted": "outcome_unknown"}, Say(400, {"code": 9}), errors.OutcomeUnknown, "9"),
        ({}, Say(200, {"code": 9}), errors.Rejected, "9"),
        ({}, Say(200, {"state": "?"}), errors.OutcomeUnknown, None),
        ({}, Say(422, {"oops": 1}), errors.Rejected, None),
        ({}, Say(400, "<b>no</b>"), errors.Misconfigured, None),
        ({}, Say(409, {"oops": 1}), errors.OutcomeUnknown, None),
        ({}, Say(403, {"code": 101}), errors.BadAddress, "101"),
    ],
)  # fmt: skip
def test_answers_are_read_by_their_rules(rules: Any, said: Say, expected: Any, code: str | None) -> None:
    ending, seen = sent(said, answer={name: value for name, value in answer(**rules).items() if value is not None})
    assert len(seen) == 1
    if isinstance(expected, Accepted):
        assert isinstance(ending, Accepted)
        assert ending.provider_ref == expected.provider_ref
    else:
        assert (type(ending), ending.provider_code) == (expected, code)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("said", "expected"),
    [("OK: 8812-a", "8812-a"), ("ERR 2 bad number +12025550143", errors.BadAddress),
     ("<html>OK soon</html>", errors.OutcomeUnknown), ("", errors.OutcomeUnknown)],
)  # fmt: skip
def test_an_answer_in_plain_text_is_read_by_expressions(said: str, expected: Any) -> None:
    rules = {
        "format": "text", "reference": {"regex": "^OK: (\\S+)$"}, "success": {"regex": "^(OK): ", "equals": "OK"},
        "code": {"regex": "^ERR ([0-9]+)"}, "codes": {"2": "bad_address"},
    }  # fmt: skip
    ending, _ = sent(Say(200, said, content_type="text/plain"), answer=rules)
    assert (ending.provider_ref if isinstance(ending, Accepted) else type(ending)) == expected
    assert PERSON not in str(ending)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (outbound(Text(" ")), errors.ContentRefused), (outbound(Text("x" * 1601)), errors.ContentRefused),
        (outbound(Text("half \ud83d")), errors.ContentRefused), (outbound(TEXT, "0712"), errors.BadAddress),
        (outbound(TEXT, validity=timedelta(seconds=4.9)), errors.Unavailable),
        (outbound(TEXT, attempt_id="a/../b"), errors.Rejected),
    ],
)  # fmt: skip
def test_what_cannot_leave_is_refused_without_a_request(what: Any, expected: Any) -> None:
    ending, seen = sent(what=what)
    assert (type(ending), seen) == (expected, [])


# --- Look-up ----------------------------------------------------------------------------------------------------------

KEY = LookupKey("0190-att-1", "tok", PERSON, TEXT.body, 1_795_000_000.0)


def asked(said: Behaviour, **changes: Any) -> tuple[Found | None, list[Seen]]:
    async def main() -> tuple[Found | None, list[Seen]]:
        async with Provider() as provider:
            provider.default = said
            channel = made(provider.url, look_up=LOOK_UP | changes, **patience(said))
            try:
                return await channel.look_up(KEY), provider.seen
            finally:
                await channel.close()

    return asyncio.run(main())


def test_the_record_with_our_id_is_the_attempt() -> None:
    mine = {"client": "0190-att-1", "to": PERSON[1:], "id": "gw-9", "state": "DELIVRD"}
    found, (seen,) = asked(Say(200, {"found": [mine | {"client": "other"}, mine | {"to": "1"}, mine]}))
    assert found == Found("gw-9", ReceiptStatus.DELIVERED)
    assert (seen.method, seen.path, seen.query) == ("GET", "/v1/find", {"client": ["0190-att-1"]})


def test_an_unknown_word_is_still_proof_that_it_was_taken() -> None:
    mine = {"client": "0190-att-1", "to": PERSON[1:], "id": "gw-9", "state": "PARKED", "error": 12}
    assert asked(Say(200, {"found": [mine]}))[0] == Found("gw-9", ReceiptStatus.ACCEPTED, "12")


@pytest.mark.parametrize("said", [Say(200, {"found": []}), Say(404, "none"), Say(200, {"found": [{"client": "b"}, 3]})])
def test_no_trace_is_an_absence(said: Say) -> None:
    assert asked(said)[0] is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Say(500, "oops"), errors.OutcomeUnknown), (Hang(), errors.OutcomeUnknown),
        (ResetAfter(), errors.OutcomeUnknown), (Say(200, "<html>"), errors.OutcomeUnknown),
        (Say(200, {"found": 3}), errors.OutcomeUnknown), (Say(429, "slow"), errors.Throttled),
        (Say(401, "who"), errors.Misconfigured),
        (Say(200, {"found": [{"client": "0190-att-1", "to": PERSON[1:]}]}), errors.OutcomeUnknown),
    ],
)  # fmt: skip
def test_a_look_up_that_cannot_be_made_is_not_an_absence(said: Behaviour, expected: Any) -> None:
    with pytest.raises(expected):
        asked(said)


def test_look_up_is_offered_only_when_described() -> None:
    assert not isinstance(made("http://127.0.0.1:9"), LooksUp)
    assert isinstance(made("http://127.0.0.1:9", look_up=LOOK_UP), LooksUp)


# --- Callbacks --------------------------------------------------------------------------------------------------------


def called(content: Any, **more: Any) -> Callback:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    base = {"path": "/v1/callbacks/gw", "query": "", "headers": {}}
    return Callback(body=body, **(base | more))


def rules(**changes: Any) -> dict[str, Any]:
    return {name: each for name, each in (GATEWAY["callbacks"] | changes).items() if each is not None}


def gateway(**changes: Any) -> Any:
    return made("http://127.0.0.1:9", callbacks=rules(**changes))


def test_news_is_told_in_our_words() -> None:
    channel = gateway()
    (receipt,) = channel.parse(called({"id": "gw-1", "state": "UNDELIV", "ref": "tok", "error": 1}))
    assert receipt == Receipt(
        "gw-1:UNDELIV", ReceiptStatus.UNDELIVERED, "tok", "gw-1", provider_code="1", error_class="bad_address"
    )
    (odd,) = channel.parse(called({"id": "gw-1", "state": "UNDELIV", "error": 77}))
    assert (odd.error_class, odd.token) == ("rejected", None)
    (fine,) = channel.parse(called({"ref": "tok", "state": "ENROUTE", "error": 0}))
    assert (fine.dedupe_key, fine.error_class, fine.provider_ref) == ("tok:ENROUTE", None, None)


@pytest.mark.parametrize("number", ["+447700900123", "447700900123", "00447700900123"])
def test_a_text_from_a_person_is_a_reply(number: str) -> None:
    (reply,) = gateway().parse(called({"kind": "mo", "id": "mo-7", "from": number, "to": "80800", "text": "STOP 您好"}))
    assert reply == Reply("mo-7:received", Medium.SMS, "+447700900123", "STOP 您好", provider_ref="mo-7", to="80800")


def test_a_batch_is_read_whole_or_not_at_all() -> None:
    channel = gateway(batch="/items")
    one = {"id": "gw-1", "state": "DELIVRD"}
    assert len(list(channel.parse(called({"items": [one, {"kind": "mo", "id": "m", "from": "447700900123"}]})))) == 2
    for wrong in ({"items": [one, {"id": "gw-2"}]}, {"items": {}}, {}, {"items": [one] * 1001}):
        with pytest.raises(MalformedCallback):
            channel.parse(called(wrong))


def test_a_form_callback_by_get_is_read() -> None:
    channel = gateway(
        format="form", reply=None,
        signature={"kind": "token", "at": {"query": "k"}, "secrets": ["callback"]},
        receipt={"token": {"query": "t"}, "status": {"query": "s"}, "statuses": {"D": "delivered"}},
    )  # fmt: skip
    one = called(b"", query="t=tok-1&s=D&k=s3cret-callback")
    channel.verify(one)
    (receipt,) = channel.parse(one)
    assert (receipt.token, receipt.status) == ("tok-1", ReceiptStatus.DELIVERED)


@pytest.mark.parametrize(
    ("signature", "proof", "forged"),
    [
        ({"kind": "token", "at": {"header": "X-Key"}}, {"headers": {"x-key": "s3cret-callback"}},
         {"headers": {"x-key": "s3cret-callbac"}}),
        ({"kind": "token", "at": "/key"}, {}, {"headers": {"key": "s3cret-callback"}}),
        ({"kind": "basic", "username": "gw"}, {"headers": {"authorization": "Basic Z3c6czNjcmV0LWNhbGxiYWNr"}},
         {"headers": {"authorization": "Basic Z3g6czNjcmV0LWNhbGxiYWNr"}}),
        ({"kind": "path"}, {"path": "/v1/callbacks/gw/s3cret-callback"}, {"path": "/v1/callbacks/gw/s3cret-callback/"}),
        ({"kind": "path"}, {"path": "/v1/callbacks/gw/s3cret-callback"}, {"path": "/v1/callbacks/s3cret-callback"}),
    ],
)  # fmt: skip
def test_every_kind_of_proof_is_asked_for(signature: Any, proof: Any, forged: Any) -> None:
    channel = gateway(signature=signature | {"secrets": ["api", "callback"]})
    content = {"key": "s3cret-callback"} if signature.get("at") == "/key" else {}
    channel.verify(called(content, **proof))
    for wrong in (called({}, **forged), called({})):
        with pytest.raises(BadSignature):
            channel.verify(wrong)


@pytest.mark.parametrize("age", [301, -301, 10**12])
def test_an_old_signature_is_refused(age: int) -> None:
    stamp = str(int(NOW.timestamp()) - age)
    mac = "sha256=" + hmac.new(b"s3cret-callback", f"{stamp}.{{}}".encode(), hashlib.sha256).hexdigest()
    with pytest.raises(BadSignature):
        gateway().verify(called({}, headers={"x-signature": mac, "x-timestamp": stamp}))


def test_a_path_secret_is_part_of_the_url_that_is_given_out() -> None:
    callbacks = rules(signature={"kind": "path", "secrets": ["callback"]})
    _, (seen,) = sent(callbacks=callbacks)
    assert json.loads(seen.body)["client"]["callback"] == f"{PUBLIC_URL}/v1/callbacks/gw/s3cret-callback?t=tok_EN-123"


def test_a_gateway_that_wants_words_hears_them() -> None:
    silent, wordy = gateway(), gateway(acknowledge={"content_type": "application/json", "body": '{"ok":1}'})
    assert isinstance(wordy, Acknowledges)
    assert silent.acknowledge(called({})) is None
    assert wordy.acknowledge(called({})).body == b'{"ok":1}'


def test_without_callbacks_none_is_believed() -> None:
    channel = made("http://127.0.0.1:9", callbacks=None, request=request(fields={"to": "{digits}", "text": "{body}"}))
    with pytest.raises(BadSignature):
        channel.verify(called({}))
    with pytest.raises(MalformedCallback):
        channel.parse(called({}))


# --- Its block --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"request": request(feilds={})}, "request.feilds: unknown key; valid keys: body, fields, headers, "),
        ({"request": request(fields={"to": "{adress}"})}, "request.fields: no placeholder of this name; valid: {addr"),
        ({"request": request(fields={"to": "{address}"})}, "must hold {address} or {digits}, and {body}"),
        ({"request": request(fields={"to": "{address", "b": "{body}"})}, "request.fields: a single brace"),
        ({"request": request(headers={"X-Api-Key": "abc"})}, "request.headers: X-Api-Key looks confidential"),
        ({"request": request(headers={"X-Words": "{body}"})}, "request.headers: no placeholder of this name"),
        ({"request": request(method="GET")}, "request: a GET has no body"),
        ({"request": request(method="PATCH")}, "request.method: Input should be 'POST', 'GET' or 'PUT'"),
        ({"request": request(body="form", fields={"a": {"b": "{body}{digits}"}})}, "only json can nest"),
        ({"request": request(url="/x?y=1")}, "request.url: is not in the form"),
        ({"auth": {"kind": "digest"}}, "auth: Input tag 'digest' found using 'kind' does not match"),
        ({"auth": {"kind": "bearer", "secret": "nope"}}, "no secret of the name nope under secrets; there are: api,"),
        ({"answer": answer(codes={"1": "bad_adress"})}, "answer.codes.1: Input should be 'bad_address', 'opted_out'"),
        ({"answer": {"code": "/code"}}, "answer: give reference or success"),
        ({"answer": answer(reference={"pointer": "/a", "regex": "(b)"})}, "answer.reference: give exactly one of"),
        ({"answer": answer(reference="id")}, "answer.reference.pointer: is not in the form"),
        ({"answer": answer(reference={"regex": "("})}, "is not a regular expression"),
        ({"answer": answer(reference={"regex": "a"})}, "needs exactly one group"),
        ({"answer": answer(format="text")}, "answer: format: text has no pointers"),
        ({"callbacks": rules(signature={"kind": "none"})}, "callbacks.signature: Input tag 'none'"),
        ({"callbacks": rules(receipt=None, reply=None)}, "callbacks: give receipt, reply or both"),
        ({"callbacks": rules(reply=rules()["reply"] | {"when": None})}, "give when to one of them"),
        ({"callbacks": rules(receipt=rules()["receipt"] | {"token": {"query": "t"}})}, "which is not signed"),
        ({"callbacks": rules(receipt=rules()["receipt"] | {"statuses": {"D": "arrived"}})}, "statuses.D: Input should"),
        ({"callbacks": None}, "request uses {callback_url}: give callbacks"),
        ({"sender": None}, "request uses {sender}: give sender"),
        ({"look_up": LOOK_UP | {"match": {}}}, "items needs match on {attempt_id} or {token}"),
        ({"look_up": LOOK_UP | {"fields": {"n": "{digits}"}, "match": {}, "items": None}}, "may find another text"),
        ({"connect_seconds": 9.0, "total_seconds": 9.0}, "connect_seconds must be below total_seconds"),
    ],
)  # fmt: skip
def test_every_mistake_is_named(changes: Any, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        made("http://127.0.0.1:9", **changes)
    assert expected in str(caught.value)
    assert "s3cret" not in str(caught.value)
