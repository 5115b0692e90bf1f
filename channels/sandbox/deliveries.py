"""Callbacks and inbound posts: signed, kept in order per subject, retried, and counted until they are done."""

import asyncio
import base64
import hashlib
import hmac
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from channels.sandbox.clock import CarrierClock
from channels.sandbox.faults import Faults
from channels.sandbox.keys import Keys
from channels.sandbox.wire import Answered, Wire
from channels.sandbox.witness import Witness, token_of

_RETRY_SECONDS: Final = 60.0
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
_TRIES_AFTER_REFUSAL: Final = 3
_TOGETHER: Final = 200


def twilio_signature(token: str, url: str, fields: Mapping[str, str]) -> str:
    """Sign a form post the way Twilio does: HMAC-SHA1 over the URL and the sorted fields."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def mail_signature(secret: str, epoch: int, body: bytes) -> str:
    """Sign an inbound mail post: ``t=<unix>,v1=<hex>`` with HMAC-SHA256 over ``<t>.<body>``."""
    mac = hmac.new(secret.encode(), b"%d." % epoch + body, hashlib.sha256).hexdigest()
    return f"t={epoch},v1={mac}"


@dataclass(frozen=True, slots=True)
class Post:
    """One thing to post. ``what`` and ``facts`` describe it in the log; ``last`` ends its subject's story."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    what: str
    facts: Mapping[str, object]
    last: bool = True
    wants: int | None = None  # the only status that ends it; None: anything below 500


class Deliveries:
    """Posts to the system under test. Each subject's posts leave in order; different subjects' leave side by side."""

    def __init__(self, *, clock: CarrierClock, witness: Witness, faults: Faults, keys: Keys, secret: str) -> None:
        self._clock = clock
        self._witness = witness
        self._faults = faults
        self._keys = keys
        self._secret = secret
        self._wire = Wire()
        self._queues: dict[str, deque[Post]] = {}
        self._held: dict[str, Post] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(_TOGETHER)
        self._idle = asyncio.Event()
        self._idle.set()
        self.pending = 0

    def form(
        self, subject: str, url: str, fields: Mapping[str, str], what: str, *, last: bool = True, **facts: object
    ) -> None:
        """Post a Twilio form about ``subject`` (the SID), signed with the account's token."""
        headers, body, plain = self._signed(url, fields)
        self._enqueue(subject, Post(plain, headers, body, what, {"ref": subject, **facts}, last))

    def json(
        self,
        subject: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        what: str,
        *,
        last: bool = True,
        wants: int | None = None,
        status: str | None = None,
    ) -> None:
        """Post JSON about ``subject`` with headers of the caller's making."""
        headers = {"Content-Type": "application/json; charset=utf-8", **headers}
        self._enqueue(
            subject,
            Post(url, headers, body, what, {"ref": subject} | ({"status": status} if status else {}), last, wants),
        )

    def raw(self, subject: str, url: str, headers: Mapping[str, str], body: bytes, what: str) -> None:
        """Post anything about ``subject``, unsigned."""
        self._enqueue(subject, Post(url, headers, body, what, {"ref": subject}))

    def mail(self, subject: str, url: str, raw: bytes, what: str, **facts: object) -> None:
        """Post a raw inbound mail, signed with the shared secret."""
        signature = mail_signature(self._secret, int(self._clock.epoch()), raw)
        headers = {"Content-Type": "message/rfc822", "X-Outreach-Signature": signature}
        self._enqueue(subject, Post(url, headers, raw, what, {"ref": subject, **facts}))

    async def ask(self, url: str, fields: Mapping[str, str], method: str = "POST") -> Answered:
        """Fetch call instructions now, trying again for a while when nothing listens. Raises OSError, TimeoutError."""
        headers, body, plain = self._signed(url, fields)
        if method.upper() == "GET":
            plain += ("&" if "?" in plain else "?") + body.decode()
            headers = {**headers, "X-Twilio-Signature": twilio_signature(self._keys.signing, plain, {})}
            body = b""
        return await self._persist(Post(plain, headers, body, "call_fetch", {}), method.upper())

    async def browse(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answered:
        """Make one request as a person's browser does, unsigned. Raises OSError, TimeoutError."""
        return await self._wire.send(method, url, headers, body)

    def begin(self) -> None:
        """Count one more thing in flight that is not a post (a call being walked)."""
        self.pending += 1
        self._idle.clear()

    def end(self) -> None:
        """Count it done."""
        self.pending -= 1
        if self.pending == 0:
            self._idle.set()

    async def wait_idle(self, seconds: float) -> bool:
        """Wait until nothing is in flight; False when ``seconds`` ran out first."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def run(self, work: "asyncio.Future[None] | asyncio.Task[None]") -> None:
        """Keep a task alive until it ends."""
        if isinstance(work, asyncio.Task):
            self._tasks.add(work)
            work.add_done_callback(self._tasks.discard)

    def keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Have work done beside the posts, and keep it alive until it ends."""
        self.run(asyncio.get_running_loop().create_task(work))

    def drop(self) -> None:
        """Abandon everything in flight."""
        for task in list(self._tasks):
            task.cancel()
        self._queues.clear()
        self._held.clear()

    async def close(self) -> None:
        """Abandon everything and close connections."""
        tasks = list(self._tasks)
        self.drop()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._wire.close()

    def _signed(self, url: str, fields: Mapping[str, str]) -> tuple[dict[str, str], bytes, str]:
        plain = url.partition("#")[0]
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "X-Twilio-Signature": twilio_signature(self._keys.signing, plain, fields),
            "I-Twilio-Idempotency-Token": str(uuid4()),
            "User-Agent": "TwilioProxy/1.1",
        }
        return headers, urlencode(fields).encode(), plain

    def _enqueue(self, subject: str, post: Post) -> None:
        posts = self._ordered(subject, post)
        for ready in posts:
            if self._faults.hit("lose_callbacks"):
                self._witness.record(f"{ready.what}_lost", **ready.facts, token=token_of(ready.url), error="fault")
                continue
            for _ in range(2 if self._faults.hit("duplicate_callbacks") else 1):
                self._queue(subject, ready)

    def _ordered(self, subject: str, post: Post) -> list[Post]:
        held = self._held.pop(subject, None)
        if held is not None:
            return [post, held]
        if not post.last and self._faults.hit("shuffle_callbacks"):
            self._held[subject] = post
            return []
        return [post]

    def _queue(self, subject: str, post: Post) -> None:
        self.begin()
        queue = self._queues.get(subject)
        if queue is not None:
            queue.append(post)
            return
        self._queues[subject] = deque([post])
        self.run(asyncio.get_running_loop().create_task(self._drain(subject)))

    async def _drain(self, subject: str) -> None:
        queue = self._queues[subject]
        try:
            while queue:
                async with self._gate:
                    await self._deliver(queue[0])
                queue.popleft()
                self.end()
        finally:
            for _ in queue:
                self.end()
            queue.clear()
            if self._queues.get(subject) is queue:
                del self._queues[subject]

    async def _deliver(self, post: Post) -> None:
        try:
            answer = await self._persist(post, "POST")
        except (OSError, TimeoutError) as error:
            self._witness.record(
                f"{post.what}_lost", **post.facts, token=token_of(post.url), error=type(error).__name__
            )
            return
        self._witness.record(post.what, **post.facts, token=token_of(post.url), answer=answer.status)

    async def _persist(self, post: Post, method: str) -> Answered:
        """Send until answered below 500. Nothing listening is retried for a minute, an error answer a few times."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + _RETRY_SECONDS
        pause, refused = _FIRST_PAUSE, 0
        while True:
            try:
                answer = await self._wire.send(method, post.url, post.headers, post.body)
            except (OSError, TimeoutError):
                if loop.time() + pause > give_up:
                    raise
            else:
                refused += 1
                if _done(post, answer.status) or refused > _TRIES_AFTER_REFUSAL:
                    return answer
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)


def _done(post: Post, status: int) -> bool:
    return status < 500 if post.wants is None else status == post.wants
