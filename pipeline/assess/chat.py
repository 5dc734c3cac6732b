"""One question to an OpenAI-compatible chat completions server: messages in, the answer's text out.

Spoken with the standard library alone: no proxy of the environment and no redirect can take a transcript elsewhere,
and the address is checked after connecting, before a word is sent. Error texts never hold what the server said, as
that may repeat the transcript.
"""

from __future__ import annotations

import http.client
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from urllib.parse import urlsplit

from pipeline import __version__
from pipeline.assess.judge_file import LlmSettings, is_near
from pipeline.errors import JudgeAwayError, JudgeServerError

__all__ = ["Message", "ask"]

Message = dict[str, str]
_MAX_REPLY = 4_000_000
_PAUSES = (1.0, 3.0)
_AWAY = frozenset({401, 402, 403, 404, 407, 429})  # of whatever call: the key, the model's name, too many questions
"""Seconds before a server that is busy, starting or failing is asked again."""
_PASSING = {429, 500, 502, 503, 504}
_log = logging.getLogger(__name__)


def ask(settings: LlmSettings, messages: Sequence[Message]) -> str:
    """The text of the model's answer, at temperature 0 and with the settings' seed.

    Raises JudgeServerError where the server cannot be reached, takes too long, refuses, or gives no chat completion.
    """
    question = {
        "model": settings.model,
        "messages": list(messages),
        "temperature": 0,
        "seed": settings.seed,
        "max_tokens": settings.max_tokens,
        "stream": False,
    }
    body = json.dumps(question, ensure_ascii=False).encode("utf-8", "replace")  # a lone surrogate has no UTF-8
    for pause in (*_PAUSES, None):
        status, reply = _exchange(settings, body)
        if status == 200:
            return _text(settings, reply)
        _log.debug("the judge's server answered %d", status)
        if status not in _PASSING or pause is None:
            break
        time.sleep(pause)
    kind = JudgeAwayError if status in _AWAY or status >= 500 else JudgeServerError
    raise kind(f"{_where(settings)} answered {_named(status)}. {_help(status)}")


def _exchange(settings: LlmSettings, body: bytes) -> tuple[int, bytes]:
    """Status and body of one POST, all of it within the time limit."""
    parts = urlsplit(settings.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=settings.timeout_seconds)
    until = time.monotonic() + settings.timeout_seconds
    try:
        connection.connect()
        _check_peer(settings, connection.sock)
        with _cut_off(connection.sock, until):
            connection.request("POST", _target(settings), body, _headers(settings))
            response = connection.getresponse()
            reply = response.read(_MAX_REPLY + 1)
        if time.monotonic() >= until:
            raise TimeoutError
        if len(reply) > _MAX_REPLY:
            raise JudgeServerError(f"{_where(settings)} sent more than {_MAX_REPLY} bytes; is it a chat server?")
        return response.status, reply
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, TimeoutError) or time.monotonic() >= until:
            raise JudgeServerError(
                f"{_where(settings)} took longer than {settings.timeout_seconds:g} s. Raise timeout_seconds, or take a "
                "smaller model."
            ) from error
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise JudgeAwayError(f"{_where(settings)} cannot be asked ({reason}). Is the server running?") from error
    finally:
        connection.close()


def _target(settings: LlmSettings) -> str:
    parts = urlsplit(settings.url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _check_peer(settings: LlmSettings, sock: socket.socket) -> None:
    peer = str(sock.getpeername()[0])
    if not settings.allow_remote and not is_near(peer):
        raise JudgeServerError(
            f"{_where(settings)} leads to {peer}, which is not on this machine or a private network: nothing was sent. "
            "Write allow_remote: true if transcripts may go there."
        )


@contextmanager
def _cut_off(sock: socket.socket, until: float) -> Iterator[None]:
    """Shuts the connection at the time `until`: the socket's own limit starts anew with every byte that drips in."""

    def shut() -> None:
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not TLS's own, which another thread may be reading by

    timer = threading.Timer(max(0.0, until - time.monotonic()), shut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _headers(settings: LlmSettings) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "User-Agent": f"ridealong/{__version__}"}
    if settings.api_key:
        headers["Authorization"] = f"Bearer {settings.api_key}"
    return headers


def _text(settings: LlmSettings, reply: bytes) -> str:
    """The answer's text; one that was cut off at max_tokens is given as it is, and fails as JSON."""
    try:
        text = json.loads(reply)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise JudgeServerError(f"{_where(settings)} sent no chat completion. Check url in the judge's file.") from error
    return text if isinstance(text, str) else ""


def _where(settings: LlmSettings) -> str:
    parts = urlsplit(settings.url)
    return f"the judge's server {parts.scheme}://{parts.netloc}{parts.path}"


def _named(status: int) -> str:
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)


def _help(status: int) -> str:
    if status in {401, 403}:
        return "Check the key in the variable that api_key_env names."
    if status in {300, 301, 302, 303, 307, 308}:
        return "A redirect is not followed; give the final address as url."
    if status in {400, 404, 413, 422}:
        return "Check url and model, and that the model can read a transcript of this length."
    return "Its log says why."
