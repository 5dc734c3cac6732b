"""Who speaks when where several people share a channel: what every diarizer does, and which one is chosen.

pyannote.audio is the one that is trusted. Without its weights two people can still be told apart, with little trust;
three or more cannot, and the error says what to do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

from pipeline.errors import ListeningError
from pipeline.listen.media import Samples
from pipeline.listen.speech import Stretch
from pipeline.records import SpeechSegment
from pipeline.settings import ListenSettings

_log = logging.getLogger(__name__)

WAYS_OUT = (
    "Three ways out: (1) weights: accept the terms of pyannote/speaker-diarization-community-1 on the model hub and "
    "set HF_TOKEN, or fetch it once (`hf download pyannote/speaker-diarization-community-1 --local-dir FOLDER`) and "
    "give --diarization-model FOLDER; (2) channels: a recording with a channel a party; (3) a transcript with "
    "speakers or an RTTM file, in the manifest's column `transcript` or `rttm`."
)
_WEIGHTLESS_PEOPLE = 2


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

    @property
    def trust(self) -> Literal["high", "low"]:
        """low where no model that was trained for it tells the voices apart."""

    def __call__(
        self,
        samples: Samples,
        *,
        speakers: tuple[int, int] | None = None,
        stretches: Sequence[Stretch] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[SpeechSegment, ...]:
        """The stretches of every voice in mono 16 kHz samples, by start; empty where nobody speaks.

        `speakers` is the least and the most people, None where it is not known. `stretches` is where speech was found,
        in seconds, None where nobody looked. `progress` is called with (done, total). Raises ListeningError.
        """


def choose_diarizer(
    settings: ListenSettings, path: Path | None = None, *, speakers: tuple[int, int] | None = None
) -> Diarizer:
    """pyannote as the settings name it; for two people at most, without weights, the diarizer that needs none.

    A model that the settings name is used or is an error. Raises ListeningError, for the recording at `path` where it
    is given, with the three ways out where three or more people, or nobody knows how many, are to be told apart.
    """
    from pipeline.listen.pyannote_weights import WeightsMissing, load_pyannote

    try:
        return load_pyannote(settings)
    except ListeningError as error:
        missing = isinstance(error, WeightsMissing) and settings.diarization_model is None
        if missing and speakers is not None and speakers[1] <= _WEIGHTLESS_PEOPLE:
            _log.info("%s Voices are told apart without weights.", error)
            return _two_voices()
        of = "" if path is None else f"{path}: "
        raise ListeningError(
            f"{of}its voices share one channel, and nothing here can tell them apart: {error} "
            f"{_number_of(speakers) if missing else ''}{WAYS_OUT}"
        ) from error


def _two_voices() -> Diarizer:
    """The diarizer that needs no weights."""
    from pipeline.listen.voices import TwoVoices

    return TwoVoices()


def _number_of(speakers: tuple[int, int] | None) -> str:
    """Why the diarizer without weights does not help."""
    if speakers is not None and speakers[0] > _WEIGHTLESS_PEOPLE:
        return f"Without weights only two people can be told apart, and at least {speakers[0]} speak on this call. "
    who = "nobody says how many speak on this call" if speakers is None else f"up to {speakers[1]} speak on this call"
    return (
        f"Without weights only two people can be told apart, and {who}: if they are two, say so (--speakers 2, or the "
        "manifest's column `speakers`). "
    )
