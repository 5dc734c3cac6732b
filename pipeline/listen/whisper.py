"""Whisper through faster-whisper, from a local folder or by hub name; the same audio gives the same words."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.errors import ListeningError
from pipeline.listen.guards import Guarded, Segment, guarded, total_dropped
from pipeline.listen.hub import hub_answers, hub_token, identity
from pipeline.listen.media import Samples
from pipeline.listen.packing import Packed, pack, wordless
from pipeline.listen.speech import Stretch, find_speech, total_seconds
from pipeline.listen.transcribe import Transcript
from pipeline.listen.vocabulary import fitting, terms_for
from pipeline.listen.whisper_decode import Language, read_batched, read_sequential
from pipeline.settings import ListenSettings, WhisperMode
from pipeline.torch_runtime import prepare

_log = logging.getLogger(__name__)
_GPU_MODEL = "large-v3-turbo"  # the words of large-v3 on phone speech at twice its speed
_CPU_MODEL = "small"  # below it, 5-10 points of word error more
_GPU_BATCH = 16  # faster-whisper's own examples
_CPU_BATCH = 4
_MISSED = 2.0  # seconds of speech without a word that are heard again; pocketsphinx leaves no 0.5 s on the tests' calls
_REMEDIES = (
    "Ways out: give --whisper-model a folder with a CTranslate2 model (model.bin, config.json, tokenizer.json), fetch "
    "one once where there is a network (`hf download Systran/faster-whisper-small --local-dir FOLDER`), or use "
    "--engine sphinx."
)


class WhisperTranscriber:
    """A loaded Whisper. `model` is faster-whisper's WhisperModel, `identity` its revision or hash, `batch` how many
    windows are read at once (1: sequentially), `vocabulary` what to expect in every call."""

    name = "whisper"
    warnings: tuple[str, ...] = ()

    def __init__(
        self,
        model: Any,
        *,
        model_name: str,
        identity: str,
        language: str | None = None,
        batch: int = 1,
        vocabulary: tuple[str, ...] = (),
    ) -> None:
        way = f"batches of {batch}" if batch > 1 else "sequential"
        self.models: tuple[tuple[str, str], ...] = (
            (f"whisper {model_name}", identity),
            ("faster-whisper", f"{version('faster-whisper')}, {way}"),
        )
        self._model = model
        self._language = _known(language, model, model_name)
        self._model_name = model_name
        self._batch = batch
        self._vocabulary = vocabulary

    def __call__(
        self,
        samples: Samples,
        *,
        hotwords: tuple[str, ...] = (),
        stretches: Sequence[Stretch] | None = None,
        language: str | None = None,
    ) -> Transcript:
        """The words of mono 16 kHz samples within the stretches, guarded against what Whisper invents.

        `hotwords` and the vocabulary stand before every window, as far as they fit. Speech that gave no words is heard
        again, sequentially and piece by piece: batched decoding may drop some (faster-whisper issue 1179), and a loop
        or a doubtful window may have hidden some.
        """
        spoken = find_speech(samples) if stretches is None else stretches
        packed = pack(samples, spoken)
        given = self._language if language is None else _known(language, self._model, self._model_name)
        if not packed.pieces:
            return Transcript((), given)
        terms = self._prompt(hotwords)
        (code, sure), first = self._read(packed, given, terms)
        kept = guarded(first, spoken, prompt=terms, language=code)
        missed = wordless(spoken, kept.words, _MISSED)
        more = self._read_again(samples, missed, code, terms)
        unheard = wordless(missed, more.words, _MISSED)
        _tell(missed, more, unheard)
        return Transcript(
            words=tuple(sorted((*kept.words, *more.words), key=lambda word: word.start)),
            language=code,
            language_probability=sure,
            dropped=total_dropped([kept.dropped, more.dropped]),
            recovered=len(more.words),
            unheard=unheard,
        )

    def _read(self, packed: Packed, language: str | None, terms: tuple[str, ...]) -> tuple[Language, list[Segment]]:
        prompt = ", ".join(terms)
        if self._batch > 1:
            found, spoken = read_batched(self._model, packed, language=language, prompt=prompt, batch=self._batch)
        else:
            found, spoken = read_sequential(self._model, packed, language=language, prompt=prompt)
        return spoken, found

    def _read_again(
        self, samples: Samples, missed: Sequence[Stretch], language: str, terms: tuple[str, ...]
    ) -> Guarded:
        """The words of speech that gave none at first."""
        if not missed:
            return Guarded((), ())
        packed = pack(samples, missed)
        found, _ = read_sequential(self._model, packed, language=language, prompt=", ".join(terms), apart=True)
        return guarded(found, missed, prompt=terms, language=language)

    def _prompt(self, hotwords: tuple[str, ...]) -> tuple[str, ...]:
        """The terms that fit into Whisper's prompt, half of its decoder less one token (223)."""
        terms = terms_for(hotwords, (), self._vocabulary)
        tokenizer = self._model.hf_tokenizer
        fit = fitting(
            terms,
            lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids),
            self._model.max_length // 2 - 1,
        )
        if len(fit) < len(terms):
            _log.info("%d of %d terms to expect fit into Whisper's prompt", len(fit), len(terms))
        return fit


def _tell(missed: Sequence[Stretch], more: Guarded, unheard: Sequence[Stretch]) -> None:
    if missed:
        seconds = total_seconds(missed)
        _log.info(
            "%d parts of speech (%.1f s) gave no words and were heard again: %d words, %d parts stay without",
            *(len(missed), seconds, len(more.words), len(unheard)),
        )


def _known(language: str | None, model: Any, model_name: str) -> str | None:
    """The language's code as the model knows it, None for None. Raises ListeningError for one that it doesn't know."""
    if language is None:
        return None
    code = language.lower().replace("_", "-").split("-")[0]
    if not model.model.is_multilingual:
        if code == "en":
            return code
        raise ListeningError(
            f"language: {language!r} was asked for, but Whisper {model_name} knows English only. Use a multilingual "
            "one, without .en in its name."
        )
    if code not in model.supported_languages or model.hf_tokenizer.token_to_id(f"<|{code}|>") is None:
        known = ", ".join(sorted(model.supported_languages))
        raise ListeningError(f"language: {language!r} is none that Whisper {model_name} knows; give one of {known}.")
    return code


def load_whisper(settings: ListenSettings) -> WhisperTranscriber:
    """Whisper as the settings name it. Raises ListeningError, in seconds without a network, where it can't be had."""
    prepare()
    device, precision = device_and_precision(settings)
    name = settings.whisper_model or (_GPU_MODEL if device == "cuda" else _CPU_MODEL)
    folder = _find_weights(name, settings)
    label, revision = identity(name, folder)
    model = _load(str(folder), device, precision, settings.threads or 0)
    return WhisperTranscriber(
        model,
        model_name=label,
        identity=revision,
        language=settings.language,
        batch=_batch(settings.whisper_mode, device),
        vocabulary=settings.vocabulary,
    )


def _batch(mode: WhisperMode, device: str) -> int:
    """How many windows are read at once, 1 for one after the other.

    `auto` on a CPU is sequential: with int8 on two cores, batches of 2 and 4 have 0.95 and 1.00 times its speed (by
    computing time) at the size of `small`, 1.07 and 1.01 at that of `base`, 0.93 and 0.81 at that of `tiny`, take up
    to 0.5 GB more memory, and never look again at what follows a window's last word (`benchmarks/whisper.py`, on
    seeded weights). On a GPU it is batched: published figures are 3-4 times the speed; that was not measured here.
    """
    if mode == "auto":
        mode = "batched" if device == "cuda" else "sequential"
    return 1 if mode == "sequential" else _GPU_BATCH if device == "cuda" else _CPU_BATCH


def device_and_precision(settings: ListenSettings) -> tuple[str, str]:
    """Where Whisper runs, cpu or cuda, and in which precision."""
    import ctranslate2

    has_gpu = ctranslate2.get_cuda_device_count() > 0
    if settings.device == "cuda" and not has_gpu:
        raise ListeningError("device: cuda was asked for, but no CUDA GPU is found here. Use --device auto or cpu.")
    return ("cuda", "float16") if has_gpu and settings.device != "cpu" else ("cpu", "int8")


@lru_cache(maxsize=2)
def _load(folder: str, device: str, precision: str, threads: int) -> Any:
    """The model; `threads` 0 lets it choose."""
    from faster_whisper import WhisperModel

    try:
        return WhisperModel(folder, device=device, compute_type=precision, cpu_threads=threads, local_files_only=True)
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
