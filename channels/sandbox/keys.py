"""The account's auth tokens: one, or two while they are rotated, and which of them signs."""

import base64
import hmac
from collections.abc import Mapping


class Keys:
    """Both tokens sign in. One signs: the primary, unless the other is told to, until it is promoted."""

    def __init__(self, sid: str, primary: str, secondary: str | None = None) -> None:
        self._sid = sid
        self._first = primary, secondary
        self.forget()

    def forget(self) -> None:
        """Back to the tokens of the start."""
        self.primary, self.secondary = self._first
        self.signing = self.primary
        self._accepted = self._both()

    def set(self, wanted: Mapping[str, object]) -> None:
        """Change tokens: ``secondary`` (null withdraws it), ``sign_with``, ``promote``. Raises ValueError.

        Promoting makes the second token the only one, as at Twilio: the first ends at that moment.
        """
        for name in wanted:
            if name not in {"secondary", "sign_with", "promote"}:
                raise ValueError(f"{name}: no such field; there are promote, secondary, sign_with")
        secondary = wanted.get("secondary", self.secondary)
        if secondary is not None and (not isinstance(secondary, str) or not secondary):
            raise ValueError("secondary: a token, or null")
        signer, promote = wanted.get("sign_with"), wanted.get("promote", False)
        if signer not in {None, "primary", "secondary"}:
            raise ValueError("sign_with: primary or secondary")
        if (promote or signer == "secondary") and secondary is None:
            raise ValueError("secondary: there is no second token yet")
        self._change(secondary, signer, promote=bool(promote))

    def _change(self, secondary: str | None, signer: object, *, promote: bool) -> None:
        signs_second = self.signing != self.primary if signer is None else signer == "secondary"
        self.secondary = secondary
        if promote and secondary is not None:
            self.primary, self.secondary = secondary, None
        self.signing = self.secondary if signs_second and self.secondary is not None else self.primary
        self._accepted = self._both()

    def signs_in(self, authorization: bytes) -> bool:
        """Say whether a Basic header names the account and one of its tokens."""
        return any([hmac.compare_digest(authorization, each) for each in self._accepted])  # noqa: C419 - compares all

    def as_json(self) -> dict[str, object]:
        """Say how many tokens there are and which signs, without saying them."""
        signer = "primary" if self.signing == self.primary else "secondary"
        return {"tokens": 1 if self.secondary is None else 2, "sign_with": signer}

    def _both(self) -> tuple[bytes, ...]:
        tokens = (self.primary, self.secondary)
        return tuple(b"Basic " + base64.b64encode(f"{self._sid}:{each}".encode()) for each in tokens if each)
