"""Twilio's refusals: code, HTTP status and text, as the REST API words them."""

from typing import Final

import orjson

from channels.sandbox.http import Response

_TEXTS: Final[dict[int, tuple[int, str]]] = {
    20003: (401, "Authenticate"),
    20004: (405, "Method not allowed"),
    20009: (400, "Cannot delete this resource before it is complete"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    21201: (400, "No 'To' number is specified"),
    21205: (400, "Url parameter is required, and must be a valid http or https address"),
    21211: (400, "Invalid 'To' Phone Number"),
    21212: (400, "Invalid From Number (caller ID)"),
    21213: (400, "No 'From' number is specified"),
    21214: (400, "'To' phone number cannot be reached"),
    21215: (400, "Account not authorized to call this country"),
    21216: (400, "Account not allowed to call this number"),
    21217: (400, "Phone number does not appear to be valid"),
    21220: (400, "Invalid call state"),
    21408: (400, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number"),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (
        400,
        "The 'From' phone number provided is not a valid, message-capable Twilio phone number for this account.",
    ),
    21609: (400, "The 'StatusCallback' URL is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (400, "This 'From' number has exceeded the maximum number of queued messages"),
    21612: (400, "Message cannot be sent with the current combination of 'To' and/or 'From' parameters"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit."),
    21655: (400, "The ContentSid is Invalid"),
    21656: (400, "The ContentVariables Parameter is invalid"),
    21624: (400, "ValidityPeriod must be a whole number of seconds from 1 to 36000"),
    21701: (400, "The Messaging Service does not exist"),
    30409: (409, "This message cannot be canceled"),
    35111: (400, "SendAt parameter is required to schedule a message"),
    35114: (400, "Scheduling does not support this timestamp"),
    35118: (400, "MessagingServiceSid is required to schedule a message"),
}


def problem(code: int, *headers: tuple[str, str], detail: str = "") -> Response:
    """Build the refusal with this code; ``detail`` is put after its text."""
    status, text = _TEXTS.get(code, (400, "The request was refused"))
    body = {
        "code": code,
        "message": f"{text}{detail}",
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    if status == 401:
        headers = (*headers, ("WWW-Authenticate", 'Basic realm="Twilio API"'))
    return Response(status, orjson.dumps(body), headers=headers)
