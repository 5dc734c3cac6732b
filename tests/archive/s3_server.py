"""An S3 server on loopback: moto's application in our own HTTP server, with faults put in its way on demand.

    with s3_server() as server:
        url = server.bucket("calls")              # created; the URL for open_bucket
        server.faults.add(slow_down(times=3))

The environment needs credentials, any will do: `CREDENTIALS`.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "very-secret", "AWS_REGION": "us-east-1"}
Environ = dict[str, Any]
App = Callable[[Environ, Any], Iterable[bytes]]


@dataclass
class Fault:
    """What happens to the next `times` requests for which `when` holds, in place of the answer."""

    answer: Callable[[Environ, Any, App], Iterable[bytes]]
    when: Callable[[Environ], bool] = lambda environ: True
    times: int = 1


@dataclass
class Faults:
    """The faults that wait, and the requests that came: 'GET /bucket/key?query'."""

    waiting: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        self.waiting.append(fault)

    def clear(self) -> None:
        self.waiting.clear()
        self.requests.clear()

    def take(self, environ: Environ) -> Fault | None:
        with self.lock:
            self.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']}")
            for fault in self.waiting:
                if fault.times and fault.when(environ):
                    fault.times -= 1
                    return fault
        return None


def error(status: str, code: str, *, times: int = 1, when: Callable[[Environ], bool] = lambda _: True) -> Fault:
    """An answer of the store: error('503 Slow Down', 'SlowDown')."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>very-secret</Message></Error>".encode()
    return content(body, status=status, times=times, when=when)


def content(
    body: bytes, *, status: str = "200 OK", times: int = 1, when: Callable[[Environ], bool] = lambda _: True
) -> Fault:
    """Any body in place of the answer."""

    def answer(environ: Environ, start: Any, app: App) -> Iterable[bytes]:
        start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    return Fault(answer, when, times)


def slow_down(times: int = 1) -> Fault:
    return error("503 Slow Down", "SlowDown", times=times)


def cut_short(*, keep: int, times: int = 1, when: Callable[[Environ], bool] = lambda _: True) -> Fault:
    """The real answer's header and its first `keep` bytes, then the connection closes."""

    def answer(environ: Environ, start: Any, app: App) -> Iterable[bytes]:
        environ["werkzeug.close"] = True
        return [b"".join(app(environ, start))[:keep]]

    return Fault(answer, when, times)


def dropped(times: int = 1, when: Callable[[Environ], bool] = lambda _: True) -> Fault:
    """The connection closes without a word."""

    def answer(environ: Environ, start: Any, app: App) -> Iterable[bytes]:
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionError("dropped on purpose")

    return Fault(answer, when, times)


def rewritten(
    change: Callable[[bytes], bytes], *, times: int = 1, when: Callable[[Environ], bool] = lambda _: True
) -> Fault:
    """The real answer with its body changed."""

    def answer(environ: Environ, start: Any, app: App) -> Iterable[bytes]:
        heard: list[Any] = []
        body = change(b"".join(app(environ, lambda status, headers, *_: heard.extend((status, headers)))))
        kept = [(name, value) for name, value in heard[1] if name.lower() != "content-length"]
        start(heard[0], [*kept, ("Content-Length", str(len(body)))])
        return [body]

    return Fault(answer, when, times)


def without_length(*, when: Callable[[Environ], bool] = lambda _: True) -> Fault:
    """The real answer without its length; the end of the connection ends it."""

    def answer(environ: Environ, start: Any, app: App) -> Iterable[bytes]:
        def start_without(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            start(status, [(name, value) for name, value in headers if name.lower() != "content-length"])

        return iter(list(app(environ, start_without)))

    return Fault(answer, when)


def is_listing(environ: Environ) -> bool:
    return "list-type=2" in environ["QUERY_STRING"]


def is_second_page(environ: Environ) -> bool:
    return "continuation-token" in parse_qs(environ["QUERY_STRING"])


def is_get(environ: Environ) -> bool:
    return environ["REQUEST_METHOD"] == "GET" and not is_listing(environ)


@dataclass
class S3Server:
    """`url` of the endpoint, and the `faults` to come."""

    url: str
    faults: Faults

    def client(self) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(s3={"addressing_style": "path"}),
        )

    def bucket(self, name: str) -> str:
        """A new empty bucket; the URL that opens it."""
        client = self.client()
        client.create_bucket(Bucket=name)
        for found in client.list_objects_v2(Bucket=name).get("Contents", ()):  # moto's buckets outlive its servers
            client.delete_object(Bucket=name, Key=found["Key"])
        return f"s3://{name}?endpoint={self.url}"


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """A server of its own on a free port of 127.0.0.1, for as long as the block runs."""
    app, faults = DomainDispatcherApplication(create_backend_app), Faults()

    def with_faults(environ: Environ, start: Any) -> Iterable[bytes]:
        fault = faults.take(environ)
        return fault.answer(environ, start, app) if fault else app(environ, start)

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = make_server("127.0.0.1", 0, with_faults, threaded=True, request_handler=MotoRequestHandler)
    server.log = lambda *args, **more: None
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield S3Server(f"http://127.0.0.1:{server.server_port}", faults)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
