"""What every speech engine gives and how one is chosen: mono samples in, words with times and confidence out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.errors import ListeningError, UsageError
from pipeline.listen.media import Samples
from pipeline.listen.speech import Stretch
from pipeline.records import Word
from pipeline.settings import ENGINES, ListenSettings

DEFAULT_SETTINGS = ListenSettings()
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Transcript:
    """The words of one channel in the order of their times. `language` is an ISO 639-1 code, None where unknown, and
    `language_probability` (0-1) how sure its detection is, None where it was given or is the engine's only one.

    `dropped` are (reason, words) that the guards took away, `recovered` the words that a second listening found where
    speech had given none, `unheard` the speech that gave none then either.
    """

    words: tuple[Word, ...]
    language: str | None = None
    language_probability: float | None = None
    dropped: tuple[tuple[str, int], ...] = ()
    recovered: int = 0
    unheard: tuple[Stretch, ...] = ()

    @property
    def confidence(self) -> float | None:
        """The mean word probability, 0-1; None without words or where the engine gives none."""
        known = [word.probability for word in self.words if word.probability is not None]
        return sum(known) / len(known) if known else None


class Transcriber(Protocol):
    """A speech engine, loaded. Called with the same samples it gives the same words, whatever it heard before."""

    @property
    def name(self) -> str:
        """The engine's name, as in ListenSettings.engine."""

    @property
    def models(self) -> tuple[tuple[str, str], ...]:
        """(model name, version, revision or hash) of everything that decides the words."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for people on what this engine cannot do."""

    def __call__(
        self,
        samples: Samples,
        *,
        hotwords: tuple[str, ...] = (),
        stretches: Sequence[Stretch] | None = None,
        language: str | None = None,
    ) -> Transcript:
        """The words of mono float32 samples at 16 kHz. `hotwords` are terms worth expecting, the most needed first.

        `stretches` are where speech was found, in seconds, in order and apart; None lets the engine look for itself.
        `language` is what is spoken; None means the engine's own setting. Raises ListeningError for a language that
        the engine doesn't know.
        """


def choose_engine(settings: ListenSettings = DEFAULT_SETTINGS) -> tuple[Transcriber, str | None]:
    """The engine that listens and, where `auto` had to do without Whisper, a sentence that says so and why.

    Raises ListeningError where Whisper was asked for by name and cannot be had, UsageError for an unknown engine and
    for the fake one, which `pipeline.fakes` has.
    """
    if settings.engine not in ENGINES:
        raise UsageError(f"engine: {settings.engine!r} is unknown; choose one of {', '.join(ENGINES)}.")
    if settings.engine == "fake":
        raise UsageError("engine: 'fake' reads made-up recordings and hears nothing in sound; choose another one.")
    if settings.engine == "sphinx":
        return _embedded(settings, ""), None

    from pipeline.listen.whisper import load_whisper

    try:
        return load_whisper(settings), None
    except ListeningError as error:
        if settings.engine == "whisper":
            raise
        _log.info("Whisper cannot be used: %s", error)
        return _embedded(settings, f" {error}"), (
            "The small embedded engine (pocketsphinx) listens, because Whisper cannot be used here; expect more wrong "
            f"words. {error}"
        )


def _embedded(settings: ListenSettings, why: str) -> Transcriber:
    """The embedded engine. Raises ListeningError where another language than its own was asked for."""
    from pipeline.listen.sphinx import SphinxTranscriber, check_english

    check_english(settings.language, why)
    return SphinxTranscriber(settings.threads)
