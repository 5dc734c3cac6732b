"""A chat completions server on loopback that answers from a script: what the tests of the LLM judge talk to."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_TURN = re.compile(r"^\[(\d+)\] (seller|buyer|manager|rep|unknown): (.*)$", re.MULTILINE)


@dataclass
class Asked:
    """One request: its JSON, its headers, and what the prompt asks about."""

    body: dict
    headers: dict

    @property
    def prompt(self) -> str:
        return self.body["messages"][1]["content"]

    @property
    def behaviour(self) -> str:
        return re.findall(r'Judge the behaviour "(\w+)"', self.prompt)[-1]

    @property
    def turns(self) -> list[tuple[int, str, str]]:
        """The turns that the prompt says can hold the behaviour, as (number, side, text)."""
        first, last = map(int, re.findall(r"Only turns (\d+) to (\d+) can hold", self.prompt)[-1])
        read = [(int(number), side, text) for number, side, text in _TURN.findall(self.prompt)]
        return [one for one in read if first <= one[0] <= last]


@dataclass
class Raw:
    """An answer below the level of a chat completion."""

    status: int = 200
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    seconds: float = 0.0
    """How long the server thinks before it answers."""
    drip: float = 0.0
    """Seconds between the bytes of the answer."""


Script = Callable[[Asked], str | dict | Raw]


@dataclass
class ChatServer:
    """The running server: where it is, and what it was asked."""

    url: str
    asked: list[Asked]


@contextmanager
def chat_server(script: Script) -> Iterator[ChatServer]:
    """A server that gives `script`'s answers: text or a JSON value as a chat completion, or Raw."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            request = Asked(json.loads(self.rfile.read(int(self.headers["Content-Length"]))), dict(self.headers))
            asked.append(request)
            said = script(request)
            answer = said if isinstance(said, Raw) else Raw(body=_completion(said))
            time.sleep(answer.seconds)
            try:
                self.send_response(answer.status)
                for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                for part in [answer.body] if not answer.drip else map(bytes, zip(answer.body, strict=True)):
                    self.wfile.write(part)
                    time.sleep(answer.drip)
            except OSError:
                pass  # the client did not wait

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield ChatServer(f"http://127.0.0.1:{server.server_port}/v1/chat/completions", asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def first_seller_turn(asked: Asked) -> dict:
    """A plain, valid answer to any call: the first words of the seller or the manager are a weak attempt."""
    for number, side, text in asked.turns:
        if side in ("seller", "manager") and any(character.isalnum() for character in text):
            return {"level": 1, "evidence": [{"turn": number, "quote": text, "criteria": []}]}
    return {"level": 0, "evidence": []}


def _completion(said: str | dict) -> bytes:
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json.dumps({"object": "chat.completion", "choices": [choice]}).encode()
