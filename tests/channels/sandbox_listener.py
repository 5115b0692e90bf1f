"""The system under test as the carrier sees it: a plain local web server that keeps every request it gets."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from channels.contract import Callback, ChannelConfig, Receipt, Reply
from channels.registry import make_channel
from channels.sandbox.client import Sandbox


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    path: str
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


class Listener:
    """Answers with ``answers(seen)`` -> (status, body); by default an empty 204."""

    def __init__(self, port: int = 0) -> None:
        self.seen: list[Seen] = []
        self.answers: Callable[[Seen], tuple[int, bytes]] = lambda _: (204, b"")
        self._changed = threading.Condition()
        self._connections: set[socket.socket] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._connections):
            connection.shutdown(socket.SHUT_RDWR)  # kept-alive connections would otherwise go on being answered
        self._thread.join()

    def clear(self) -> None:
        with self._changed:
            self.seen.clear()
            self.answers = lambda _: (204, b"")

    def forms(self, path: str) -> list[dict[str, str]]:
        return [seen.form for seen in list(self.seen) if seen.path.startswith(path)]

    def wait_for(self, count: int, path: str = "/", seconds: float = 10.0) -> list[Seen]:
        def found() -> list[Seen]:
            return [seen for seen in self.seen if seen.path.startswith(path)]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= count, seconds), (
                f"{len(found())} of {count} at {path}"
            )
            return found()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                listener._connections.add(self.connection)

            def finish(self) -> None:
                listener._connections.discard(self.connection)
                super().finish()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                seen = Seen(self.path, listener.url + self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                with listener._changed:
                    listener.seen.append(seen)
                    listener._changed.notify_all()
                status, answer = listener.answers(seen)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST  # noqa: N815 - the name http.server calls

            def log_message(self, *_: Any) -> None:
                return

        return Handler


class _Redirected(TwilioHttpClient):
    """Twilio's own HTTP client with the host swapped for the sandbox's."""

    def __init__(self, base: str) -> None:
        super().__init__(pool_connections=False, timeout=10)
        self._base = urlsplit(base)

    def request(self, method: str, url: str, *args: Any, **more: Any) -> Any:
        parts = urlsplit(url)
        moved = urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))
        return super().request(method, moved, *args, **more)


def twilio_client(sandbox: Sandbox, token: str | None = None) -> Client:
    return Client(sandbox.account_sid, token or sandbox.auth_token, http_client=_Redirected(sandbox.http_url))


def read_by_adapter(seen: Seen, listener: Listener, sandbox: Sandbox, **options: str) -> list[Receipt | Reply]:
    """Have the real adapter verify and read a callback. Raises BadSignature."""
    base = {"account_sid": sandbox.account_sid, "auth_token": sandbox.auth_token, "sender": "+12025550100"}
    config = ChannelConfig("sms", "twilio_sms", listener.url, base | {"base_url": sandbox.http_url} | options)
    channel = make_channel(config, lambda: None)  # type: ignore[arg-type,return-value]
    path, _, query = seen.path.partition("?")
    callback = Callback(path, query, seen.headers, seen.body)
    channel.verify(callback)
    return list(channel.parse(callback))
