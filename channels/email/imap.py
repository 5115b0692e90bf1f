"""A mailbox read over IMAP: what is new in one folder, a mail by its UID, and what becomes of it afterwards.

Blocking, with a time-out on every answer: callers run it in a thread. Errors name their kind and never what a server
or a mail said.
"""

import imaplib
import re
import ssl
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Literal, Self

Tls = Literal["implicit", "starttls", "none"]

_AT_ONCE: Final = 200
_WINDOW: Final = 10_000
"""UIDs that are asked for in one search: imaplib refuses a line of a million octets, and large folders fill one."""
_NOT_NOW: Final = re.compile(rb"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG|CONTACTADMIN)\]", re.IGNORECASE)


class MailboxError(Exception):
    """A mailbox that cannot be read now."""


class MailboxAwayError(MailboxError):
    """The server did not answer, or not now: trying again may help."""


class MailboxRefusedError(MailboxError):
    """Login, folder or certificate are refused: a person must act."""


@dataclass(frozen=True, slots=True)
class MailboxOptions:
    """One folder of one account. ``move_to`` is where taken mails go; empty: they are marked as read where they are."""

    host: str
    port: int
    tls: Tls
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    move_to: str = ""
    ca_file: str | None = None
    max_bytes: int = 10 * 1024 * 1024
    every_seconds: float = 60.0
    answer_seconds: float = 60.0

    @property
    def name(self) -> str:
        """The mailbox as alerts and the mark in the store name it."""
        return f"{self.username}@{self.host}/{self.folder}"


class Mailbox:
    """One connection with the folder selected."""

    def __init__(self, connection: imaplib.IMAP4, options: MailboxOptions, uid_validity: int, uid_next: int) -> None:
        self._connection = connection
        self._options = options
        self._uid_next = uid_next
        self.uid_validity = uid_validity

    @classmethod
    def open(cls, options: MailboxOptions) -> Self:
        """Connect, log in and select the folder. Raises MailboxError."""
        try:
            connection = _connected(options)
        except ssl.SSLCertVerificationError:
            raise MailboxRefusedError("the certificate of the server is not trusted") from None
        except (OSError, imaplib.IMAP4.error) as error:
            raise MailboxAwayError(type(error).__name__) from None
        try:
            return cls(connection, options, *_selected(connection, options))
        except BaseException:
            _hang_up(connection)
            raise

    def close(self) -> None:
        """Log out. Raises nothing."""
        _hang_up(self._connection)

    def uids_after(self, uid: int) -> list[int]:
        """Return the UIDs of what came next after ``uid``, in order; empty at the end. Raises MailboxError."""
        for first in range(uid + 1, self._uid_next, _WINDOW):
            found = self._search(f"UID {first}:{min(first + _WINDOW, self._uid_next) - 1}")
            # Some servers name the last mail of the folder whatever the range.
            if mine := sorted(each for each in found if each > uid):
                return mine
        return []

    def fetch(self, uid: int) -> bytes | None:
        """Return a mail, cut off at ``max_bytes``; None when it is gone. Raises MailboxError.

        What is cut off is the end of large attachments; the words stand before them.
        """
        for item in self._uid("FETCH", str(uid), f"(UID BODY.PEEK[]<0.{self._options.max_bytes}>)"):
            if isinstance(item, tuple):
                return bytes(item[1])
        return None

    def put_away(self, upto: int) -> None:
        """Move or mark as read everything up to a UID that is not flagged for a person. Raises MailboxError.

        It asks the server what is left to do, so it also makes up for a process that died between storing and this.
        """
        unread = "" if self._options.move_to else " UNSEEN"
        for some in _groups(self._search(f"UID 1:{upto} UNFLAGGED UNDELETED{unread}") if upto else []):
            if self._options.move_to:
                self._move(some)
            else:
                self._uid("STORE", some, "+FLAGS.SILENT", r"(\Seen)")

    def flag(self, uid: int) -> None:
        """Mark a mail for a person; it stays where it is. Raises MailboxError."""
        self._uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Flagged)")

    def _move(self, uids: str) -> None:
        folder = _quoted(self._options.move_to)
        if "MOVE" in self._connection.capabilities:
            self._uid("MOVE", uids, folder)
            return
        self._uid("COPY", uids, folder)
        self._uid("STORE", uids, "+FLAGS.SILENT", r"(\Deleted)")
        if "UIDPLUS" in self._connection.capabilities:
            self._uid("EXPUNGE", uids)

    def _search(self, criteria: str) -> list[int]:
        found = self._uid("SEARCH", criteria)
        return [int(word) for line in found if isinstance(line, bytes) for word in line.split()]

    def _uid(self, command: str, *arguments: str) -> Sequence[object]:
        try:
            kind, data = self._connection.uid(command, *arguments)
        except (OSError, imaplib.IMAP4.error) as error:
            raise MailboxAwayError(f"{command}: {type(error).__name__}") from None
        if kind != "OK":
            raise MailboxRefusedError(f"{command} was refused")
        return data


def _connected(options: MailboxOptions) -> imaplib.IMAP4:
    if options.tls == "none":
        return imaplib.IMAP4(options.host, options.port, timeout=options.answer_seconds)
    context = ssl.create_default_context(cafile=options.ca_file)
    if options.tls == "implicit":
        return imaplib.IMAP4_SSL(options.host, options.port, ssl_context=context, timeout=options.answer_seconds)
    connection = imaplib.IMAP4(options.host, options.port, timeout=options.answer_seconds)
    try:
        connection.starttls(context)
    except BaseException:
        _hang_up(connection)
        raise
    return connection


def _selected(connection: imaplib.IMAP4, options: MailboxOptions) -> tuple[int, int]:
    """Log in and select; returns UIDVALIDITY and UIDNEXT, which every IMAP4rev1 server says."""
    try:
        connection.login(options.username, options.password)
        # What a server can do may change with the login.
        connection.capabilities = tuple(str(connection.capability()[1][0], "ascii", "replace").upper().split())
        kind, _ = connection.select(_quoted(options.folder))
        validity, following = (connection.response(name)[1][0] for name in ("UIDVALIDITY", "UIDNEXT"))
    except (imaplib.IMAP4.abort, OSError) as error:
        raise MailboxAwayError(type(error).__name__) from None
    except imaplib.IMAP4.error as error:
        if _NOT_NOW.search(str(error).encode("utf-8", "replace")):
            raise MailboxAwayError("not now") from None
        raise MailboxRefusedError("the login or the folder is refused") from None
    if kind != "OK" or not validity or not following:
        raise MailboxRefusedError("the folder cannot be opened")
    return int(validity), int(following)


def _hang_up(connection: imaplib.IMAP4) -> None:
    with suppress(OSError, imaplib.IMAP4.error):
        connection.logout()
    with suppress(OSError):
        connection.shutdown()


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _groups(uids: Iterable[int]) -> list[str]:
    listed = sorted(uids)
    return [",".join(map(str, listed[at : at + _AT_ONCE])) for at in range(0, len(listed), _AT_ONCE)]
