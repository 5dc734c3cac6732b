"""Who listens and who judges under these settings, found out by loading them once in a process that then ends."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

from pipeline import resources
from pipeline.errors import ListeningError, RidealongError, UsageError
from pipeline.listening import engine_for
from pipeline.score import judge_for
from pipeline.settings import ListenSettings, keep_private

__all__ = ["Models", "models_of"]

WEIGHTLESS = ("voices without weights", "1")


@dataclass(frozen=True, slots=True)
class Models:
    """What decides the words, the voices and the findings.

    `engine` is its name, `engine_models` are (model name, revision or hash). `hears_names` is whether it listens for
    the names and terms that it is told. `judge` is the classifier's version, `judge_facts` a hash of what else of it is
    in a scorecard. `notes` are sentences for people.
    """

    engine: str
    engine_models: tuple[tuple[str, str], ...]
    hears_names: bool
    judge: str
    judge_facts: str
    notes: tuple[str, ...] = ()


def models_of(settings: ListenSettings, judge: str | Path | None) -> Models:
    """The models that these settings and the judge's file mean, which must be there.

    Raises UsageError where the request is wrong, ListeningError where an engine or weights that were asked for cannot
    be had, as listening itself would.
    """
    if settings.engine == "fake" and judge is None:
        return _models(settings, None)  # nothing heavy is loaded
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            found = pool.submit(_tried, settings, judge).result()
        except BrokenProcessPool as error:
            raise ListeningError(
                "the process that loads the models to see which they are died. Most often the memory is too small for "
                "them: give a smaller --whisper-model, or more memory. A script that calls this from its top level "
                "must do so below `if __name__ == '__main__':`."
            ) from error
    if isinstance(found, Models):
        return found
    is_usage, message = found
    raise UsageError(message) if is_usage else ListeningError(message)


def _tried(settings: ListenSettings, judge: str | Path | None) -> Models | tuple[bool, str]:
    """The models, or the error in words: not every error of ours can be pickled."""
    keep_private()
    try:
        return _models(settings, judge)
    except RidealongError as error:
        return isinstance(error, UsageError), str(error)


def _models(settings: ListenSettings, judge: str | Path | None) -> Models:
    engine, note = engine_for(settings)
    classifier = judge_for(settings, judge)
    voices = () if settings.engine == "fake" else (_voices(settings),)
    agreement = json.dumps([asdict(one) for one in classifier.agreement], sort_keys=True)
    sides = b"" if settings.engine == "fake" else _side_weights()
    return Models(
        engine=engine.name,
        engine_models=(*engine.models, *voices),
        hears_names=engine.name == "whisper",
        judge=classifier.version,
        judge_facts=hashlib.sha256(agreement.encode() + sides).hexdigest(),
        notes=() if note is None else (note,),
    )


def _voices(settings: ListenSettings) -> tuple[str, str]:
    """What tells voices on one channel apart. Raises ListeningError where the weights that are named cannot be had."""
    from pipeline.listen.pyannote_weights import WeightsMissing, pyannote_identity

    try:
        return pyannote_identity(settings)
    except WeightsMissing:
        if settings.diarization_model is not None:
            raise
        return WEIGHTLESS


def _side_weights() -> bytes:
    """The weights that tell from words who sells."""
    return (Path(resources.model_folder("behaviours")) / "sides.safetensors").read_bytes()
