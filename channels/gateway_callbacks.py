"""A gateway's requests to us: proof of origin and news, as its block describes them."""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from channels.contract import Callback, Medium, Receipt, ReceiptStatus, Reply
from channels.errors import BadSignature, MalformedCallback, Rejected
from channels.gateway_options import (
    CallbackRules,
    ReceiptRules,
    ReplyRules,
    SignedByBasic,
    SignedByHmac,
    SignedByPath,
    SignedByToken,
)
from channels.macs import mac, same
from channels.placeholders import cut
from channels.spots import Said, at_pointer, said

Now = Callable[[], datetime]
FAILURES = frozenset({ReceiptStatus.FAILED, ReceiptStatus.UNDELIVERED})
_MOST_IN_BATCH = 1_000


class GatewayCallbacks:
    """Verifies and reads the callbacks of one gateway."""

    def __init__(self, rules: CallbackRules, base: str, path: str, secrets: Mapping[str, str], now: Now) -> None:
        self._rules = rules
        self._base = base
        self._path = path
        self._secrets = [secrets[name] for name in rules.signature.secrets]
        self._now = now

    def url(self, token: str) -> str:
        """Return where the gateway reports about an attempt."""
        secret = f"/{self._secrets[0]}" if isinstance(self._rules.signature, SignedByPath) else ""
        return f"{self._base}{self._path}{secret}?t={token}"

    def verify(self, callback: Callback) -> None:
        """Raise BadSignature unless the request is provably the gateway's."""
        try:
            good = self._proven(callback)
        except Exception:  # noqa: BLE001 - whatever a forged request breaks, the answer is the same
            good = False
        if not good:
            raise BadSignature("not signed by the gateway")

    def _proven(self, callback: Callback) -> bool:
        match self._rules.signature:
            case SignedByHmac() as rule:
                return self._signed(rule, callback)
            case SignedByToken() as rule:
                return same(rule.at.find(self._said(callback)) or "", self._secrets)
            case SignedByBasic() as rule:
                wanted = [base64.b64encode(f"{rule.username}:{each}".encode()).decode() for each in self._secrets]
                scheme, _, given = callback.headers["authorization"].partition(" ")
                return scheme.lower() == "basic" and same(given.strip(), wanted)
            case SignedByPath():
                return same(callback.path.removeprefix(f"{self._path}/"), self._secrets)

    def _signed(self, rule: SignedByHmac, callback: Callback) -> bool:
        stamp = callback.headers[rule.timestamp_header.lower()] if rule.timestamp_header else "0"
        if rule.timestamp_header and abs(self._now().timestamp() - int(stamp)) > rule.tolerance_seconds:
            return False
        query = f"?{callback.query}" if callback.query else ""
        values = {
            "payload": callback.body.decode("latin-1"),
            "timestamp": stamp,
            "path": callback.path,
            "query": callback.query,
            "url": f"{self._base}{callback.path}{query}",
        }
        text = cut(rule.over).text(values).encode("latin-1")  # gives the raw bytes of the body back
        style = {"algorithm": rule.algorithm, "encoding": rule.encoding, "prefix": rule.prefix}
        given = callback.headers[rule.header.lower()]
        return same(given, [mac(secret, text, **style) for secret in self._secrets])

    def _said(self, callback: Callback) -> Said:
        return said(callback.body, self._rules.format, callback.headers, callback.query)

    def parse(self, callback: Callback) -> Iterable[Receipt | Reply]:
        """Turn a verified request into news. Raises MalformedCallback."""
        what = self._said(callback)
        if what.content is None:
            raise MalformedCallback(f"the body is not {self._rules.format}")
        return [self._one(what, item) for item in self._items(what)]

    def _items(self, what: Said) -> Iterator[Any]:
        if self._rules.batch is None:
            return iter([what.content])
        items = at_pointer(what.content, self._rules.batch)
        if not isinstance(items, list) or len(items) > _MOST_IN_BATCH:
            raise MalformedCallback("no list where the batch should be, or too long a one")
        return iter(items)

    def _one(self, what: Said, item: Any) -> Receipt | Reply:  # noqa: ANN401 - plain JSON values
        receipt, reply = self._rules.receipt, self._rules.reply
        for rules in sorted((each for each in (receipt, reply) if each), key=lambda each: each.when is None):
            if rules.when is None or rules.when.holds(what, item):
                return _receipt(rules, what, item) if isinstance(rules, ReceiptRules) else _reply(rules, what, item)
        raise MalformedCallback("neither a receipt nor a reply")


def _receipt(rules: ReceiptRules, what: Said, item: Any) -> Receipt:  # noqa: ANN401 - as above
    word = rules.status.find(what, item)
    status = rules.statuses.get(word or "")
    if status is None:
        raise MalformedCallback("a status that is not known")
    token = rules.token.find(what, item) if rules.token else None
    reference = rules.reference.find(what, item) if rules.reference else None
    if not token and not reference:
        raise MalformedCallback("news that names no attempt")
    code = (rules.code.find(what, item) or None) if rules.code else None
    return Receipt(
        dedupe_key=f"{reference or token}:{word}",
        status=status,
        token=token or None,
        provider_ref=reference or None,
        provider_code=code,
        error_class=rules.codes.get(code or "", Rejected.code) if status in FAILURES else None,
    )


def _reply(rules: ReplyRules, what: Said, item: Any) -> Reply:  # noqa: ANN401 - as above
    reference, address = rules.reference.find(what, item), rules.address.find(what, item)
    if not reference or not address:
        raise MalformedCallback("a reply without its reference or its address")
    to = rules.to.find(what, item) if rules.to else None
    return Reply(
        dedupe_key=f"{reference}:received",
        medium=Medium.SMS,
        address=_international(address),
        text=rules.text.find(what, item) or "",
        provider_ref=reference,
        to=to,
    )


def _international(number: str) -> str:
    """Return a number of digits alone, as many gateways give it, as E.164; anything else as it came."""
    digits = number.strip().removeprefix("+").removeprefix("00")
    return f"+{digits}" if digits.isascii() and digits.isdigit() and len(digits) >= 8 else number.strip()
