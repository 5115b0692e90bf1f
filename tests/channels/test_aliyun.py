"""Aliyun: signed requests, approved templates only, pushes believed by their path, look-up by OutId."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from given import ALIYUN, APPROVED, CHINA_PERSON, NOW, TEXT, aliyun_config, outbound
from peers import Behaviour, Hang, Provider, Say, Seen, patience

from channels import errors
from channels.aliyun_api import authorization, canonical_query
from channels.codes import codes_of
from channels.contract import Acknowledges, Callback, Found, LookupKey, Medium, Receipt, ReceiptStatus, Reply
from channels.errors import BadSignature, ConfigError, MalformedCallback
from channels.sms.aliyun import AliyunSms

OK = Say(200, {"Code": "OK", "BizId": "9006^0", "Message": "OK", "RequestId": "r"})


def made(url: str = "http://127.0.0.1:9", **options: Any) -> AliyunSms:
    return AliyunSms(aliyun_config("cn", url, **options), lambda: NOW)


def sent(**fields: Any) -> tuple[Any, list[Seen]]:
    async def main() -> tuple[Any, list[Seen]]:
        async with Provider() as provider:
            provider.default = OK
            channel = made(provider.url)
            try:
                base = {"address": CHINA_PERSON, "template": APPROVED} | fields
                return await channel.send(outbound(TEXT, base.pop("address"), **base)), provider.seen
            except errors.SendError as error:
                return error, provider.seen
            finally:
                await channel.close()

    return asyncio.run(main())


def test_the_signature_is_the_one_that_aliyuns_own_library_makes() -> None:
    """The expected value was made with alibabacloud-tea-openapi 0.4.6 from the same request."""
    fields = {
        "PhoneNumbers": "13900000000", "SignName": "示例银行", "TemplateCode": "SMS_1000001",
        "TemplateParam": '{"name":"Ana","amount":"¥120.00 ~*/+"}', "OutId": "tok_EN-123",
    }  # fmt: skip
    headers = {
        "host": "dysmsapi.aliyuncs.com", "x-acs-version": "2017-05-25", "x-acs-action": "SendSms",
        "x-acs-date": "2026-11-22T15:00:00Z", "x-acs-signature-nonce": "0123456789abcdef0123456789abcdef",
        "accept": "application/json", "user-agent": "x",
        "x-acs-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }  # fmt: skip
    signed = authorization("LTAI-example", "secret-example", canonical_query(fields), headers)
    assert signed.endswith("Signature=4710a8143d285c7f725be3924beffdb3b9f39416c29fc0f655b7d7395e1259a2")
    assert signed.startswith("ACS3-HMAC-SHA256 Credential=LTAI-example,SignedHeaders=accept;host;user-agent;x-acs-act")


def test_an_approved_template_leaves_with_its_values_and_our_token() -> None:
    accepted, (seen,) = sent()
    assert accepted.provider_ref == "9006^0"
    assert (seen.method, seen.path, seen.body) == ("POST", "/", b"")
    fields = {name: values[0] for name, values in seen.query.items()}
    assert json.loads(fields.pop("TemplateParam")) == {"name": "Ana", "amount": "¥120.00 ~*/+"}
    assert fields == {
        "PhoneNumbers": "12905550312", "SignName": "示例银行", "TemplateCode": "SMS_1000001", "OutId": "tok_EN-123",
        "SmsUpExtendCode": "12",
    }  # fmt: skip
    assert (seen.headers["x-acs-action"], seen.headers["x-acs-version"]) == ("SendSms", "2017-05-25")
    assert seen.headers["x-acs-date"] == "2026-11-22T15:00:00Z"


def test_what_is_sent_is_what_is_signed() -> None:
    _, (seen,) = sent()
    query = canonical_query({name: values[0] for name, values in seen.query.items()})
    names = seen.headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    signed = {name: seen.headers[name] for name in names}
    assert seen.headers["authorization"] == authorization("LTAI-example", "s3cret-aliyun", query, signed)


def test_every_request_has_a_nonce_of_its_own() -> None:
    nonces = {sent()[1][0].headers["x-acs-signature-nonce"] for _ in range(3)}
    assert len(nonces) == 3


@pytest.mark.parametrize(
    ("fields", "expected", "says"),
    [
        ({"template": None}, errors.NoTemplate, "free words are not carried"),
        ({"template": replace(APPROVED, name="promise_confirmation")}, errors.NoTemplate,
         "no approved template for promise_confirmation in zh"),
        ({"template": replace(APPROVED, locale="en")}, errors.NoTemplate, "no approved template for pre_due in en"),
        ({"template": replace(APPROVED, name="broken_promise")}, errors.Unsupported,
         "broken_promise needs what this touch has not: promise.due_on"),
        ({"address": "+12025550143"}, errors.Unsupported, "only numbers of mainland China"),
        ({"address": "+85290000000"}, errors.Unsupported, "only numbers of mainland China"),
        ({"address": "+861088888888"}, errors.BadAddress, "not a mobile number"),
        ({"validity": timedelta(seconds=4)}, errors.Unavailable, "window closing"),
    ],
)  # fmt: skip
def test_what_aliyun_would_refuse_never_leaves(fields: Any, expected: Any, says: str) -> None:
    error, seen = sent(**fields)
    assert (type(error), seen) == (expected, [])
    assert says in error.detail
    assert "129055" not in str(error)


def test_a_template_without_parameters_sends_none() -> None:
    _, (seen,) = sent(template=replace(APPROVED, name="due_today"))
    assert "TemplateParam" not in seen.query


# --- Look-up ----------------------------------------------------------------------------------------------------------

STARTED = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
KEY = LookupKey("0190-att-1", "tok_EN-123", CHINA_PERSON, TEXT.body, STARTED.timestamp())


def details(*rows: dict[str, Any]) -> Say:
    return Say(200, {"Code": "OK", "TotalCount": str(len(rows)), "SmsSendDetailDTOs": {"SmsSendDetailDTO": list(rows)}})


def row(out_id: str, status: int = 3, code: str = "DELIVERED") -> dict[str, Any]:
    return {"OutId": out_id, "SendStatus": status, "ErrCode": code, "PhoneNum": "12905550312"}


def asked(*answers: Behaviour, key: LookupKey = KEY) -> tuple[Found | None, list[Seen]]:
    async def main() -> tuple[Found | None, list[Seen]]:
        async with Provider() as provider:
            provider.script.extend(answers)
            provider.default = details()
            channel = made(provider.url, **patience(*answers))
            try:
                return await channel.look_up(key), provider.seen
            finally:
                await channel.close()

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("status", "code", "found"),
    [
        (1, "", Found("0190-att-1", ReceiptStatus.SENT)),
        (3, "DELIVERED", Found("0190-att-1", ReceiptStatus.DELIVERED)),
        (
            2,
            "MOBILE_IN_BLACK",
            Found(
                "0190-att-1", ReceiptStatus.UNDELIVERED, "MOBILE_IN_BLACK", "opted_out", codes_of("aliyun").decided_by
            ),
        ),
        (9, "", Found("0190-att-1", ReceiptStatus.ACCEPTED)),
    ],
)
def test_the_record_with_our_out_id_is_the_attempt(status: int, code: str, found: Found) -> None:
    answer, (seen,) = asked(details(row("other"), row("tok_EN-123", status, code)))
    assert answer == found
    assert {name: values[0] for name, values in seen.query.items()} == {
        "PhoneNumber": "12905550312", "SendDate": "20261122", "PageSize": "50", "CurrentPage": "1",
    }  # fmt: skip


def test_every_page_is_read_and_both_days_around_the_mainlands_midnight() -> None:
    late = replace(KEY, started_epoch=datetime(2026, 11, 22, 15, 58, tzinfo=UTC).timestamp())
    full = details(*[row(f"t{n}") for n in range(50)])
    found, seen = asked(full, details(row("t51")), details(row("tok_EN-123")), key=late)
    assert found is not None
    days = [(each.query["SendDate"][0], each.query["CurrentPage"][0]) for each in seen]
    assert days == [("20261122", "1"), ("20261122", "2"), ("20261123", "1")]


@pytest.mark.parametrize("answer", [details(), details(row("other")), Say(200, {"Code": "isv.DATA_NOT_EXIST"})])
def test_no_trace_is_an_absence(answer: Say) -> None:
    assert asked(answer)[0] is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Say(500, "oops"), errors.OutcomeUnknown), (Hang(), errors.OutcomeUnknown),
        (Say(200, "<html>"), errors.OutcomeUnknown), (Say(200, {"Code": "OK"}), errors.OutcomeUnknown),
        (Say(200, {"Code": "OK", "SmsSendDetailDTOs": {"SmsSendDetailDTO": [3]}}), errors.OutcomeUnknown),
        (Say(429, {"Code": "Throttling"}), errors.Throttled),
        (Say(403, {"Code": "Forbidden.RAM"}), errors.Misconfigured),
    ],
)  # fmt: skip
def test_a_look_up_that_cannot_be_made_is_not_an_absence(answer: Behaviour, expected: Any) -> None:
    with pytest.raises(expected):
        asked(answer)


# --- Pushes -----------------------------------------------------------------------------------------------------------


def push(*items: Any, path: str = "") -> Callback:
    where = path or f"/v1/callbacks/cn/{ALIYUN['push_secret']}"
    return Callback(where, "", {"content-type": "application/json"}, json.dumps(list(items)).encode())


def report(**fields: Any) -> dict[str, Any]:
    base = {
        "phone_number": "12905550312", "send_time": "2026-11-22 23:00:00", "report_time": "2026-11-22 23:00:05",
        "success": True, "err_code": "DELIVERED", "err_msg": "", "sms_size": "1", "biz_id": "9006^0", "out_id": "tok",
    }  # fmt: skip
    return base | fields


def test_a_batch_of_reports_is_news_of_each() -> None:
    first, second = made().parse(push(report(), report(biz_id="9007^0", success=False, err_code="USER_REJECT")))
    assert first == Receipt("9006^0:delivered", ReceiptStatus.DELIVERED, "tok", "9006^0")
    assert second == Receipt(
        "9007^0:undelivered", ReceiptStatus.UNDELIVERED, "tok", "9007^0",
        provider_code="USER_REJECT", error_class="opted_out", decided_by=codes_of("aliyun").decided_by,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("MOBILE_IN_BLACK", "opted_out"), ("CONTENT_KEYWORD", "content_refused"), ("IS_CLOSE", "unavailable"),
        ("SIGNATURE_BLACKLIST", "misconfigured"),
        ("MOBILE_NOT_ON_SERVICE", "unavailable"), ("INVALID_NUMBER", "unavailable"), ("NO_ROUTE", "unsupported"),
        ("REQUEST_SUCCESS", "outcome_unknown"), ("MK:9001", "rejected"), ("", "rejected"),
    ],
)  # fmt: skip
def test_a_failed_text_says_whose_fault_it_is(code: str, expected: str) -> None:
    (receipt,) = made().parse(push(report(success=False, err_code=code)))
    assert isinstance(receipt, Receipt)
    assert (receipt.error_class, receipt.provider_code) == (expected, code or None)


@pytest.mark.parametrize("sequence", [1234567890, "1234567890"])
@pytest.mark.parametrize("number", ["12905550312", "8612905550312", "+8612905550312", "008612905550312"])
def test_a_text_from_a_person_is_a_reply(number: str, sequence: Any) -> None:
    up = {"phone_number": number, "content": "退订", "sequence_id": sequence, "dest_code": "12", "send_time": "x"}
    (reply,) = made().parse(push(up))
    assert reply == Reply(
        "up:1234567890:received", Medium.SMS, CHINA_PERSON, "退订", provider_ref="up:1234567890", to="12"
    )


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[3]", b"[{}]", b'[{"success": "yes"}]', b'[{"success": true}]', b'[{"content": "x"}]', b"\xff"],
)
def test_a_push_out_of_form_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedCallback):
        made().parse(replace(push(), body=body))


@pytest.mark.parametrize(
    "path",
    ["/v1/callbacks/cn/", "/v1/callbacks/cn", "/v1/callbacks/cn/guess", f"/v1/callbacks/sms/{ALIYUN['push_secret']}",
     f"/v1/callbacks/cn/{ALIYUN['push_secret']}/", f"/{ALIYUN['push_secret']}"],
)  # fmt: skip
def test_a_push_to_another_path_is_not_believed(path: str) -> None:
    with pytest.raises(BadSignature):
        made().verify(push(report(), path=path))


def test_either_push_secret_is_believed_while_they_change_and_none_without() -> None:
    made(push_secret_secondary="another-secret-0123").verify(push(path="/v1/callbacks/cn/another-secret-0123"))
    with pytest.raises(BadSignature):
        made(push_secret=None).verify(push(path="/v1/callbacks/cn/"))


def test_aliyun_hears_the_words_without_which_it_pushes_again() -> None:
    channel = made()
    assert isinstance(channel, Acknowledges)
    assert json.loads(channel.acknowledge(push()).body)["code"] == 0


# --- Its block and its tables -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"templates": {"pre_due": {"zh": {"code": "1000"}}}}, "templates.pre_due.zh.code: is not in the form ^SMS_"),
        ({"templates": {"pre_due": {"zh": {"code": "SMS_1", "parameters": {"a": "amount"}}}}},
         "templates.pre_due.zh.parameters: a: no field of this name; valid: arrangement.count"),
        ({"push_secret": "short"}, "push_secret needs at least 16 characters"),
        ({"access_key_secret": ""}, "access_key_secret is empty"),
        ({"signname": "x"}, "signname: unknown key; valid keys: access_key_id"),
        ({"total_seconds": 1.0}, "connect_seconds must be below total_seconds"),
    ],
)  # fmt: skip
def test_every_mistake_is_named(changes: Any, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        made(**changes)
    assert expected in str(caught.value)


def test_every_row_has_its_source_and_says_nothing_of_a_person() -> None:
    for row_ in (row for table in codes_of("aliyun").tables.values() for row in table.values()):
        assert row_.source.startswith("https://")
        assert row_.meaning
        assert "+86" not in row_.meaning
