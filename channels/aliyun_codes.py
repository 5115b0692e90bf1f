"""What Aliyun's codes mean to us, as data: those of the API, and those of receipts.

The documents mix three kinds of trouble under one prefix: with the account, with one template, with one number. Only
the first may stop a lane; a template that is not approved ends the attempts that use it. Where the documents put a
number that does not exist and one that is switched off under the same code, the number is not marked as dead.
"""

from typing import Final

from channels.codes import Kind, Row

TABLE_VERSION: Final = "2026-11-22"
"""The day the rows were last checked against Aliyun's pages. Raise it with every change of a row."""

_API: Final = "https://help.aliyun.com/document_detail/101346.html"
_RECEIPT: Final = "https://help.aliyun.com/document_detail/101347.html"
_COMMON: Final = "https://api.aliyun.com/document/Dysmsapi/2017-05-25/errorCode"
_HOUR: Final = 3_600.0

API: Final[dict[str, Row]] = {
    "isv.MOBILE_NUMBER_ILLEGAL": Row(Kind.BAD_NUMBER, "the recipient's number is not valid", _API),
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": Row(Kind.NOT_SERVED, "the template is not for numbers of the mainland", _API),
    "isv.SMS_CONTENT_ILLEGAL": Row(Kind.BLOCKED, "the words are not permitted", _API),
    "isv.UNSUPPORTED_CONTENT": Row(Kind.BLOCKED, "the words hold characters that are not carried", _API),
    "isv.BLACK_KEY_CONTROL_LIMIT": Row(Kind.BLOCKED, "a parameter holds a forbidden word", _API),
    "isv.PARAM_LENGTH_LIMIT": Row(Kind.BLOCKED, "a parameter is too long", _API),
    "isv.PARAM_NOT_SUPPORT_URL": Row(Kind.BLOCKED, "a parameter holds a link", _API),
    "isv.SMS_TEMPLATE_ILLEGAL": Row(Kind.BLOCKED, "the template is not approved", _API),
    "isv.TEMPLATE_MISSING_PARAMETERS": Row(Kind.BLOCKED, "the template wants more parameters", _API),
    "isv.TEMPLATE_PARAMS_ILLEGAL": Row(Kind.BLOCKED, "a parameter does not fit its kind in the template", _API),
    "isv.INVALID_JSON_PARAM": Row(Kind.BLOCKED, "the parameters are not JSON of texts", _API),
    "isv.SMS_SIGNATURE_ILLEGAL": Row(Kind.MISCONFIGURED, "the signature is not approved", _API),
    "isv.SMS_SIGN_ILLEGAL": Row(Kind.MISCONFIGURED, "the signature is forbidden", _API),
    "isv.SIGN_STATE_ILLEGAL": Row(Kind.MISCONFIGURED, "the signature cannot be used now", _API),
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL": Row(Kind.BLOCKED, "signature and template are of different kinds", _API),
    "isv.EXTEND_CODE_ERROR": Row(Kind.MISCONFIGURED, "the extension code belongs to another signature", _API),
    "isv.INVALID_PARAMETERS": Row(Kind.MISCONFIGURED, "the request's parameters are wrong", _API),
    "isv.DENY_IP_RANGE": Row(Kind.MISCONFIGURED, "our address is outside the mainland", _API),
    "isp.RAM_PERMISSION_DENY": Row(Kind.MISCONFIGURED, "the key may not send", _API),
    "isv.OUT_OF_SERVICE": Row(Kind.MISCONFIGURED, "the account is suspended for want of funds", _API),
    "isv.AMOUNT_NOT_ENOUGH": Row(Kind.MISCONFIGURED, "the account's balance is used up", _API),
    "isv.PRODUCT_UN_SUBSCRIPT": Row(Kind.MISCONFIGURED, "the account has no SMS service", _API),
    "isv.PRODUCT_UNSUBSCRIBE": Row(Kind.MISCONFIGURED, "the account has no SMS service", _API),
    "isv.ACCOUNT_NOT_EXISTS": Row(Kind.MISCONFIGURED, "no such account", _API),
    "isv.ACCOUNT_ABNORMAL": Row(Kind.MISCONFIGURED, "the account is blocked", _API),
    # Counted per number when submitted, over a minute, an hour or a day; the answer does not say which.
    "isv.BUSINESS_LIMIT_CONTROL": Row(Kind.QUOTA, "this number has had as many texts as are allowed", _API, _HOUR),
    "isv.DAY_LIMIT_CONTROL": Row(Kind.QUOTA, "the account's daily limit is used up", _API, _HOUR),
    "isv.MONTH_LIMIT_CONTROL": Row(Kind.QUOTA, "the account's monthly limit is used up", _API, 6 * _HOUR),
    "isp.SYSTEM_ERROR": Row(Kind.AMBIGUOUS, "an error inside the provider", _API),
    "isp.GATEWAY_ERROR": Row(Kind.AMBIGUOUS, "an error inside the provider", _API),
    "isp.UNKNOWN": Row(Kind.AMBIGUOUS, "an error inside the provider", _API),
    "Throttling": Row(Kind.TRANSIENT, "too many requests", _COMMON),
    "Throttling.User": Row(Kind.TRANSIENT, "too many requests of the account", _COMMON),
    "Throttling.Api": Row(Kind.TRANSIENT, "too many requests to the API", _COMMON),
    "InternalError": Row(Kind.AMBIGUOUS, "an error inside the provider", _COMMON),
    "ServiceUnavailable": Row(Kind.AMBIGUOUS, "the provider is not available now", _COMMON),
    # It has seen this very request before, so the first copy of it may have been carried out.
    "SignatureNonceUsed": Row(Kind.AMBIGUOUS, "the request came twice", _COMMON),
    "SignatureDoesNotMatch": Row(Kind.MISCONFIGURED, "the key's secret is wrong", _COMMON),
    "InvalidAccessKeyId.NotFound": Row(Kind.MISCONFIGURED, "no such key", _COMMON),
    "InvalidAccessKeyId.Inactive": Row(Kind.MISCONFIGURED, "the key is switched off", _COMMON),
    "InvalidTimeStamp.Expired": Row(Kind.MISCONFIGURED, "our clock is more than 15 minutes off", _COMMON),
    "Forbidden.RAM": Row(Kind.MISCONFIGURED, "the key may not send", _COMMON),
    "NoPermission": Row(Kind.MISCONFIGURED, "the key may not send", _COMMON),
    "InvalidAction.NotFound": Row(Kind.MISCONFIGURED, "the endpoint does not know this call", _COMMON),
    "InvalidVersion": Row(Kind.MISCONFIGURED, "the endpoint does not know this version", _COMMON),
}

RECEIPTS: Final[dict[str, Row]] = {
    "MOBILE_NOT_ON_SERVICE": Row(Kind.TRANSIENT, "switched off, out of reach, suspended or unassigned", _RECEIPT),
    "INVALID_NUMBER": Row(Kind.TRANSIENT, "switched off, out of reach, suspended or malformed", _RECEIPT),
    "MOBILE_ACCOUNT_ABNORMAL": Row(Kind.TRANSIENT, "the person's own account is in arrears or ported", _RECEIPT),
    "MOBLLE_TERMINAL_ERROR": Row(Kind.TRANSIENT, "the handset could not take it", _RECEIPT),
    "MOBILE_SEND_LIMIT": Row(Kind.QUOTA, "this number has had as many texts as are allowed", _RECEIPT),
    "MOBILE_IN_BLACK": Row(Kind.OPT_OUT, "unsubscribed from the signature, or on a carrier's list", _RECEIPT),
    "USER_REJECT": Row(Kind.OPT_OUT, "the person unsubscribed", _RECEIPT),
    "CONTENT_KEYWORD": Row(Kind.BLOCKED, "filtered by the carrier", _RECEIPT),
    "CONTENT_ERROR": Row(Kind.BLOCKED, "the words lack the way to unsubscribe", _RECEIPT),
    "SIGNATURE_BLACKLIST": Row(Kind.MISCONFIGURED, "the carrier blocks the signature", _RECEIPT),
    "NO_ROUTE": Row(Kind.NOT_SERVED, "no route for these words", _RECEIPT),
    "IS_CLOSE": Row(Kind.TRANSIENT, "the route was shut", _RECEIPT),
    "IS_CLOSED": Row(Kind.TRANSIENT, "the route was shut", _RECEIPT),
    "SP_NOT_BY_INTER_SMS": Row(Kind.NOT_SERVED, "the person takes no texts from abroad", _RECEIPT),
    "SP_UNKNOWN_ERROR": Row(Kind.AMBIGUOUS, "the carrier gave no reason", _RECEIPT),
    "REQUEST_SUCCESS": Row(Kind.AMBIGUOUS, "the carrier never reported", _RECEIPT),
}
