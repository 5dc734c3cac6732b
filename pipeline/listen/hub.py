"""The hub that weights come from: whether it answers, known in seconds, and what a folder of weights is called."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from functools import lru_cache
from pathlib import Path

from pipeline.settings import ListenSettings

_log = logging.getLogger(__name__)
_KNOCK_SECONDS = 3.0


def hub_answers() -> bool:
    """Whether the model hub can be reached; takes three seconds at most, none where HF_HUB_OFFLINE is set.

    A name that does not resolve can block for a minute whatever the timeout says, so the knock is given up from here.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    answered = threading.Event()

    def knock() -> None:
        import httpx

        try:
            httpx.head(constants.ENDPOINT, timeout=_KNOCK_SECONDS, follow_redirects=False)
        except (httpx.HTTPError, OSError, ValueError) as error:
            _log.info("the model hub does not answer: %s", error)
        else:
            answered.set()

    thread = threading.Thread(target=knock, name="ridealong-hub", daemon=True)
    thread.start()
    thread.join(_KNOCK_SECONDS)
    return answered.is_set()


def hub_token(settings: ListenSettings) -> str | None:
    """The hub's token from the settings, else from HF_TOKEN, else None."""
    return settings.hub_token or os.environ.get("HF_TOKEN") or None


def identity(name: str, folder: Path) -> tuple[str, str]:
    """A name without this machine's path, and the hub's revision or the hash of the folder's files."""
    if folder.parent.name == "snapshots":
        return name, folder.name
    return folder.resolve().name, f"sha256:{_hash(folder)}"


@lru_cache(maxsize=8)
def _hash(folder: Path) -> str:
    """A hash over the folder's files and their names, in the order of the names."""
    total = hashlib.sha256()
    files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    for name in files:
        with (folder / name).open("rb") as opened:
            total.update(f"{name}\0{hashlib.file_digest(opened, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()[:16]
