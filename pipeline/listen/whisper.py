"""Whisper through faster-whisper, from a local folder or by hub name; the same audio gives the same words."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.errors import ListeningError
from pipeline.listen.hub import hub_answers, hub_token, identity
from pipeline.listen.media import Samples
from pipeline.listen.speech import Stretch
from pipeline.listen.transcribe import Transcript
from pipeline.records import Word
from pipeline.settings import ListenSettings
from pipeline.torch_runtime import prepare

_log = logging.getLogger(__name__)
_GPU_MODEL = "large-v3-turbo"  # the words of large-v3 on phone speech at twice its speed
_CPU_MODEL = "small"  # below it, 5-10 points of word error more
_BEAM = 5
_REMEDIES = (
    "Ways out: give --whisper-model a folder with a CTranslate2 model (model.bin, config.json, tokenizer.json), fetch "
    "one once where there is a network (`hf download Systran/faster-whisper-small --local-dir FOLDER`), or use "
    "--engine sphinx."
)


class WhisperTranscriber:
    """A loaded Whisper. `model` is faster-whisper's WhisperModel, `identity` its revision or hash."""

    name = "whisper"
    warnings: tuple[str, ...] = ()

    def __init__(self, model: Any, *, model_name: str, identity: str, language: str | None = None) -> None:
        self.models: tuple[tuple[str, str], ...] = (
            (f"whisper {model_name}", identity),
            ("faster-whisper", version("faster-whisper")),
        )
        self._model = model
        self._language = language

    def __call__(
        self, samples: Samples, *, hotwords: tuple[str, ...] = (), stretches: Sequence[Stretch] | None = None
    ) -> Transcript:
        """The words of mono 16 kHz samples. Whisper's own speech detection decides where to listen, not `stretches`."""
        if len(samples) == 0:
            return Transcript((), self._language)
        segments, info = self._model.transcribe(
            samples,
            language=self._language,
            hotwords=", ".join(hotwords) or None,
            beam_size=_BEAM,
            temperature=0.0,  # no sampling: the same audio gives the same words
            word_timestamps=True,
            vad_filter=True,  # takes invented text on non-speech from 31 % of clips to 4 %
            condition_on_previous_text=False,  # one slip must not be repeated to the end
        )
        limit = len(samples) / 16_000
        words = tuple(_word(word, limit) for segment in segments for word in segment.words or () if word.word.strip())
        return Transcript(words, info.language, round(float(info.language_probability), 4))


def _word(word: Any, limit: float) -> Word:
    """faster-whisper's word as ours: no space around it, its times within the recording and in order."""
    start = min(max(0.0, float(word.start)), limit)
    end = min(max(start, float(word.end)), limit)
    return Word(
        word.word.strip(), round(start, 3), round(end, 3), round(min(1.0, max(0.0, float(word.probability))), 4)
    )


def load_whisper(settings: ListenSettings) -> WhisperTranscriber:
    """Whisper as the settings name it. Raises ListeningError, in seconds without a network, where it can't be had."""
    prepare()
    device, precision = _device(settings)
    name = settings.whisper_model or (_GPU_MODEL if device == "cuda" else _CPU_MODEL)
    folder = _find_weights(name, settings)
    label, revision = identity(name, folder)
    model = _load(str(folder), device, precision)
    return WhisperTranscriber(model, model_name=label, identity=revision, language=settings.language)


def _device(settings: ListenSettings) -> tuple[str, str]:
    """Where Whisper runs and in which precision."""
    import ctranslate2

    has_gpu = ctranslate2.get_cuda_device_count() > 0
    if settings.device == "cuda" and not has_gpu:
        raise ListeningError("device: cuda was asked for, but no CUDA GPU is found here. Use --device auto or cpu.")
    return ("cuda", "float16") if has_gpu and settings.device != "cpu" else ("cpu", "int8")


@lru_cache(maxsize=2)
def _load(folder: str, device: str, precision: str) -> Any:
    from faster_whisper import WhisperModel

    try:
        return WhisperModel(folder, device=device, compute_type=precision, local_files_only=True)
    except (RuntimeError, ValueError, OSError) as error:
        raise ListeningError(f"{folder}: holds no Whisper model that can be loaded ({error}). {_REMEDIES}") from error


def _find_weights(name: str, settings: ListenSettings) -> Path:
    """The folder of the weights: the one named, the one in the hub's cache, or one that is fetched now."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "model.bin").is_file():
            raise ListeningError(f"{folder}: holds no model.bin, so it is no CTranslate2 Whisper model. {_REMEDIES}")
        return folder
    if folder.is_absolute() or name.startswith((".", "~")):
        raise ListeningError(f"{name}: there is no such folder with a Whisper model. {_REMEDIES}")

    from faster_whisper.utils import available_models, download_model

    if "/" not in name and name not in available_models():
        known = ", ".join(available_models())
        raise ListeningError(f"whisper model: {name!r} is neither a folder nor one of {known}. {_REMEDIES}")
    token = hub_token(settings)
    try:
        return Path(download_model(name, local_files_only=True, use_auth_token=token))
    except (OSError, ValueError):
        _log.info("Whisper %s is not in the cache", name)
    if not hub_answers():
        raise ListeningError(f"Whisper {name} is not on this machine and the model hub cannot be reached. {_REMEDIES}")
    try:
        return Path(download_model(name, use_auth_token=token))
    except (OSError, ValueError, RuntimeError) as error:
        raise ListeningError(f"Whisper {name} could not be fetched ({type(error).__name__}). {_REMEDIES}") from error
