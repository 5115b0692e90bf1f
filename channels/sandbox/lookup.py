"""Twilio Lookup v2: whether a number can exist, how it is written, and what kind of line it is."""

from typing import Final
from urllib.parse import unquote

import orjson
import phonenumbers

from channels.sandbox.carrier import Carrier
from channels.sandbox.http import Request, Response
from channels.sandbox.problems import problem

PATH: Final = "/v2/PhoneNumbers/"
_PACKAGES: Final = (
    "caller_name", "sim_swap", "call_forwarding", "line_type_intelligence", "line_status", "identity_match",
    "reassigned_number", "sms_pumping_risk", "phone_number_quality_score", "pre_fill",
)  # fmt: skip
_WRONG: Final = {
    phonenumbers.ValidationResult.TOO_SHORT: "TOO_SHORT",
    phonenumbers.ValidationResult.TOO_LONG: "TOO_LONG",
    phonenumbers.ValidationResult.INVALID_COUNTRY_CODE: "INVALID_COUNTRY_CODE",
    phonenumbers.ValidationResult.INVALID_LENGTH: "INVALID_LENGTH",
}
_NO_MOBILE: Final = frozenset({21614, 30006})
"""Errors that say that a number takes no texts."""


def look_up(carrier: Carrier, request: Request) -> Response:
    """Answer GET /v2/PhoneNumbers/{number}. Of the packages that cost money, line type and line status are served."""
    if request.method != "GET":
        return problem(20004)
    args = request.args()
    wanted = {name.strip() for name in args.get("Fields", "").split(",") if name.strip()}
    given = unquote(request.path[len(PATH) :])
    body: dict[str, object] = _basics(given, args.get("CountryCode") or "US")
    body |= dict.fromkeys(_PACKAGES)
    body["url"] = f"https://lookups.twilio.com{PATH}{body['phone_number']}"
    number = str(body["phone_number"])
    if body["valid"]:
        if "line_type_intelligence" in wanted:
            body["line_type_intelligence"] = _line_type(carrier, number)
        if "line_status" in wanted:
            body["line_status"] = {"status": _line_status(carrier, number), "error_code": None}
    carrier.witness.record("number_looked_up", channel="sms", to=number, fields=sorted(wanted))
    return Response(200, orjson.dumps(body))


def _basics(given: str, country: str) -> dict[str, object]:
    body: dict[str, object] = {
        "calling_country_code": None, "country_code": None, "phone_number": given, "national_format": None,
        "valid": False, "validation_errors": ["NOT_A_NUMBER"],
    }  # fmt: skip
    try:
        parsed = phonenumbers.parse(given, country.upper())
    except phonenumbers.NumberParseException as error:
        bad_country = error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        return body | ({"validation_errors": ["INVALID_COUNTRY_CODE"]} if bad_country else {})
    reason = _WRONG.get(phonenumbers.is_possible_number_with_reason(parsed))
    return body | {
        "calling_country_code": str(parsed.country_code),
        "country_code": phonenumbers.region_code_for_number(parsed),
        "phone_number": phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164),
        "national_format": phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL),
        "valid": reason is None,
        "validation_errors": [] if reason is None else [reason],
    }


def _line_type(carrier: Carrier, number: str) -> dict[str, object]:
    """Say what the script says, else what the person's temper means, else mobile."""
    temper = carrier.people.temper("sms", number, 0)
    scripted = carrier.people.profile(number).line_type
    kind = scripted or ("landline" if temper.name in {"fail", "reject"} and _landline(temper.code) else "mobile")
    return {
        "carrier_name": "Sandbox Carrier",
        "mobile_country_code": "001" if kind == "mobile" else None,
        "mobile_network_code": "01" if kind == "mobile" else None,
        "type": kind,
        "error_code": None,
    }


def _landline(code: int | None) -> bool:
    return code in _NO_MOBILE


def _line_status(carrier: Carrier, number: str) -> str:
    temper = carrier.people.temper("sms", number, 0)
    gone = temper.name in {"fail", "reject"} and temper.code in {30005, 21211, 21614}
    return "inactive" if gone else "active"
