"""The settings of a run: one small frozen record per concern, with documented defaults. No files are read here."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Literal

Engine = Literal["auto", "whisper", "sphinx", "fake"]
WhisperMode = Literal["auto", "sequential", "batched"]
ENGINES: tuple[Engine, ...] = ("auto", "whisper", "sphinx", "fake")

OPT_OUTS = {
    "PYANNOTE_METRICS_ENABLED": "0",
    "DO_NOT_TRACK": "1",  # Prefect's client
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",  # its server, which does not heed DO_NOT_TRACK
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""Environment variables that stop pyannote.audio, Prefect, the hub client and Ray from reporting usage."""


def keep_private() -> None:
    """Set the libraries' telemetry opt-outs, unless the user has chosen otherwise.

    Called first by every entry point and before every heavy import: the libraries read them at import time.
    """
    for name, value in OPT_OUTS.items():
        os.environ.setdefault(name, value)


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """What a recording may cost to decode; over a limit it is refused with the limit named.

    Six hours covers the longest meeting people record; 16 channels the largest conference recorder in use.
    """

    max_bytes: int = 4 * 1024**3
    max_seconds: float = 6 * 3600.0
    max_channels: int = 16
    memory_bytes: int = 2 * 1024**3
    cpu_seconds: int = 900


@dataclass(frozen=True, slots=True)
class ListenSettings:
    """How recordings become calls.

    `whisper_model` and `diarization_model` are a hub name or a local folder. None means: for Whisper
    `large-v3-turbo` on a GPU and `small` on a CPU, for pyannote `pyannote/speaker-diarization-community-1`.
    `language` None lets Whisper detect it; the embedded engine knows US English only. `device` is auto, cpu or cuda.
    `hub_token` falls back to the variable HF_TOKEN. `diarization_seconds` is the time that telling one recording's
    voices apart may take; None means ten minutes and four times the recording's length. `whisper_mode` is how Whisper
    reads a recording: window by window (sequential), several windows at once (batched), or whichever was measured to
    be the better on the device (auto). `vocabulary` are terms worth expecting beside each call's own names, the most
    needed first. `threads` is how many cores one call may use; None means all. The `fake` engine reads made-up
    recordings for trying out a set-up (`pipeline/fakes.py`); nothing that it gives was ever said.
    """

    engine: Engine = "auto"
    whisper_model: str | None = None
    diarization_model: str | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    language: str | None = None
    hub_token: str | None = field(default=None, repr=False)
    speakers: tuple[int, int] | None = None
    diarization_seconds: float | None = None
    limits: MediaLimits = MediaLimits()
    whisper_mode: WhisperMode = "auto"
    vocabulary: tuple[str, ...] = ()
    threads: int | None = None
