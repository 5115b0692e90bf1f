"""The carrier's own numbers, its messaging services, and who stopped which of them."""

from typing import Final

from channels.sandbox.script import Script

_DEFAULT_SENDER: Final = "+15005550006"
STOP_WORDS: Final = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
START_WORDS: Final = frozenset({"START", "UNSTOP"})
HELP_WORDS: Final = frozenset({"HELP", "INFO"})


def keyword_of(body: str) -> str | None:
    """Return STOP, START or HELP when the whole text is one of the carrier's keywords, in any case."""
    word = body.strip().upper()
    if word in STOP_WORDS:
        return "STOP"
    if word in START_WORDS:
        return "START"
    return "HELP" if word in HELP_WORDS else None


class Senders:
    """Numbers and blocks. A block is between one person and one number, as at Twilio, not over all channels."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._blocked: set[tuple[str, str]] = set()

    def forget(self) -> None:
        """Lift every block."""
        self._blocked.clear()

    def owns(self, sender: str, service: str) -> bool:
        """Say whether the account may send from this number, or else by this service."""
        if sender:
            number = sender.removeprefix("whatsapp:")
            owned = {sender, number} & self._script.numbers
            return not self._script.numbers or bool(owned) or not number.startswith("+")
        return not self._script.services or service in self._script.services

    def of_service(self, service: str) -> str:
        """Return the number a messaging service sends from."""
        return self._script.services.get(service) or next(iter(sorted(self._script.numbers)), _DEFAULT_SENDER)

    def block(self, person: str, number: str) -> None:
        """Note that a person stopped a number."""
        self._blocked.add((person, number))

    def unblock(self, person: str, number: str) -> None:
        """Note that a person wants to hear from a number again."""
        self._blocked.discard((person, number))

    def blocked(self, person: str, number: str) -> bool:
        """Say whether a person stopped a number."""
        return (person, number) in self._blocked
