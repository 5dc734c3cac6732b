"""Reading a judge's configuration: a YAML file in; settings out, or a JudgeError with every fault at once.

A judge is a folder of trained heads (`kind: learned`) or a language model behind an OpenAI-compatible server
(`kind: llm`). Transcripts are personal data, so a server elsewhere than on private addresses has to be allowed by name.
"""

from __future__ import annotations

import ipaddress
import math
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from pipeline.errors import JudgeError

__all__ = ["LearnedSettings", "LlmSettings", "is_near", "read_judge"]

REMEDY = "Mend these and run again; docs/judges.md explains each field."
_MAX_BYTES = 100_000
_NEAR = [ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")]
"""Private networks (RFC 1918, RFC 4193). Link-local addresses are not among them: cloud metadata services sit there."""


@dataclass(frozen=True, slots=True)
class LearnedSettings:
    """A folder as `ridealong train` writes it; `encoder` is the folder of the encoder that it was trained on, None for
    the packaged one."""

    folder: Path
    encoder: Path | None = None


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """A chat completions endpoint and how it is asked. `timeout_seconds` is for one request; `retries` is how often
    more a behaviour is asked after an answer that was refused. `api_key` is never shown, logged or stored.
    `max_characters` is the longest transcript that the model can read whole; a longer one is not judged."""

    url: str
    model: str
    timeout_seconds: float = 120.0
    retries: int = 2
    seed: int = 1
    max_tokens: int = 2000
    max_characters: int = 200_000
    allow_remote: bool = False
    api_key_env: str | None = None
    api_key: str | None = field(default=None, repr=False, compare=False)


_FIELDS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "url": (str, "text"),
    "model": (str, "text"),
    "timeout_seconds": ((int, float), "a number of seconds"),
    "retries": (int, "a whole number"),
    "seed": (int, "a whole number"),
    "max_tokens": (int, "a whole number"),
    "max_characters": (int, "a whole number"),
    "allow_remote": (bool, "true or false"),
    "api_key_env": (str, "the name of an environment variable"),
}
_RANGES: dict[str, tuple[float, float]] = {
    "timeout_seconds": (0.1, 3600),
    "retries": (0, 10),
    "max_tokens": (50, 100_000),
}
_RANGES |= {"max_characters": (1000, 10_000_000), "seed": (0, 2**31 - 1)}
_KINDS: dict[str, dict[str, tuple[type | tuple[type, ...], str]]] = {
    "learned": {"folder": (str, "text"), "encoder": (str, "text")},
    "llm": _FIELDS,
}
_NEEDED = {"learned": ("folder",), "llm": ("url", "model")}


def read_judge(path: Path) -> LearnedSettings | LlmSettings:
    """The settings of a judge's file. Raises JudgeError with all faults of the file at once."""
    values = _values(path)
    faults = list(_faults(values))
    if faults:
        raise JudgeError(path, faults, REMEDY)
    if values["kind"] == "learned":
        encoder = values.get("encoder")
        return LearnedSettings(
            (path.parent / values["folder"]).resolve(), (path.parent / encoder).resolve() if encoder else None
        )
    name = values.get("api_key_env")
    known = {key: value for key, value in values.items() if key in _FIELDS}
    return LlmSettings(**known, api_key=os.environ[name] if name else None)


def is_near(address: str) -> bool:
    """Whether an IP address is this machine's or a private network's."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_loopback or any(ip in network for network in _NEAR if ip.version == network.version)


def _values(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise JudgeError(path, [f"{path.stat().st_size} bytes: such a file has at most {_MAX_BYTES}"], REMEDY)
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise JudgeError(path, [f"cannot be read: {error.strerror}"], "Check the path and its permissions.") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise JudgeError(path, [f"{place}not valid YAML in UTF-8"], REMEDY) from error
    if not isinstance(values, dict):
        raise JudgeError(path, ["the file holds no fields; it needs kind: learned or kind: llm"], REMEDY)
    return values


def _faults(values: dict[str, Any]) -> Iterator[str]:
    kind = values.get("kind")
    if kind not in _KINDS:
        yield f"kind: {kind!r} is not known; write learned or llm"
        return
    fields = _KINDS[kind]
    for name in values:
        if name != "kind" and name not in fields:
            yield f"{name}: not a field of kind {kind}; allowed: {', '.join(fields)}"
    for name in _NEEDED[kind]:
        if name not in values:
            yield f"{name}: missing; kind {kind} needs it"
    wrong = set()
    for name, (wanted, said) in fields.items():
        if name in values and (fault := _value_fault(name, values[name], wanted, said)):
            wrong.add(name)
            yield f"{name}: {fault}"
    if kind == "llm":
        if "url" in values and "url" not in wrong:
            yield from _url_faults(values["url"], values.get("allow_remote") is True)
        if "api_key_env" in values and "api_key_env" not in wrong:
            yield from _key_faults(values["api_key_env"])


def _value_fault(name: str, value: Any, wanted: type | tuple[type, ...], said: str) -> str | None:
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        return f"{value!r} is not {said}"
    if isinstance(value, str) and not value.strip():
        return f"is empty; give {said}"
    low, high = _RANGES.get(name, (-math.inf, math.inf))
    if isinstance(value, int | float) and not low <= value <= high:
        return f"{value} is out of range; allowed: {low:g} to {high:g}"
    return None


def _url_faults(url: str, allow_remote: bool) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        host, secret, _ = parts.hostname, parts.username or parts.password, parts.port
    except ValueError:
        yield f"url: {url!r} is not a URL; write it as http://127.0.0.1:8080/v1/chat/completions"
        return
    if secret:
        yield "url: holds a user name or password; name the key's environment variable in api_key_env instead"
    elif parts.scheme not in {"http", "https"} or not host or not url.isascii() or any(c.isspace() for c in url):
        yield f"url: {url!r} is not an http or https URL, as http://127.0.0.1:8080/v1/chat/completions"
    elif not all(map(is_near, _addresses(host))):
        if not allow_remote:
            yield (
                f"url: {host} is not on this machine or a private network, and transcripts are personal data; "
                "write allow_remote: true if they may be sent there"
            )
        elif parts.scheme != "https":
            yield f"url: {host} is elsewhere, and http would send transcripts in the clear; use https"


def _addresses(host: str) -> list[str]:
    """The host's addresses; none where it cannot be looked up now (a connection checks again before it sends)."""
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return []


def _key_faults(name: str) -> Iterator[str]:
    key = os.environ.get(name, "")
    if not key:
        yield f"api_key_env: the environment variable {name!r} is not set; set it to the server's key"
    elif not (key.isascii() and key.isprintable()) or " " in key:
        yield f"api_key_env: the key in {name!r} holds spaces or control characters; set it again"
