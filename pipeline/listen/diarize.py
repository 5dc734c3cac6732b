"""Who speaks when in one channel that carries several people: pyannote.audio, from a local folder or by hub name."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from pipeline.errors import ListeningError
from pipeline.listen.hub import hub_answers, hub_token, identity
from pipeline.listen.media import RATE, Samples
from pipeline.records import SpeechSegment
from pipeline.settings import ListenSettings
from pipeline.torch_runtime import prepare

_log = logging.getLogger(__name__)
DEFAULT_MODEL = "pyannote/speaker-diarization-community-1"
_CONFIG = "config.yaml"

WAYS_OUT = (
    "Three ways out: (1) weights: accept the terms of pyannote/speaker-diarization-community-1 on the model hub and "
    "set HF_TOKEN, or fetch it once (`hf download pyannote/speaker-diarization-community-1 --local-dir FOLDER`) and "
    "give --diarization-model FOLDER; (2) channels: a recording with a channel a party; (3) a transcript with "
    "speakers, in the manifest's `transcript` column."
)


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


class PyannoteDiarizer:
    """A loaded pyannote pipeline. Speakers are labelled `speaker-1`, `speaker-2`, … in the order they first speak."""

    warnings = (
        "Voices share a channel and were told apart by their sound, so some words may stand with the wrong speaker.",
    )

    def __init__(self, pipeline: Any, *, model_name: str, revision: str) -> None:
        self.name = f"pyannote {model_name}"
        self.models: tuple[tuple[str, str], ...] = ((self.name, revision),)
        self._pipeline = pipeline

    def __call__(self, samples: Samples, *, speakers: int | None = None) -> tuple[SpeechSegment, ...]:
        """The stretches of every voice, by start."""
        import torch

        waveform = torch.from_numpy(samples.copy()).unsqueeze(0)  # (1, samples): a memory map may be read-only
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about its own internals (std of one frame, TF32); nothing for our users
            output = self._pipeline({"waveform": waveform, "sample_rate": RATE}, num_speakers=speakers)
        annotation = getattr(output, "speaker_diarization", output)  # pipelines before 4.0 return it bare
        tracks = sorted(
            (max(0.0, segment.start), min(segment.end, len(samples) / RATE), str(label))
            for segment, _, label in annotation.itertracks(yield_label=True)
        )
        labels: dict[str, str] = {}
        for _, _, label in tracks:
            labels.setdefault(label, f"speaker-{len(labels) + 1}")
        return tuple(SpeechSegment(labels[label], round(a, 3), round(b, 3)) for a, b, label in tracks if b > a)


def choose_diarizer(settings: ListenSettings, path: Path) -> Diarizer:
    """pyannote as the settings name it. Raises ListeningError with the three ways out for the recording at `path`."""
    try:
        return load_pyannote(settings)
    except ListeningError as error:
        raise ListeningError(
            f"{path}: its voices share one channel, and nothing here can tell them apart: {error} {WAYS_OUT}"
        ) from error


def load_pyannote(settings: ListenSettings) -> PyannoteDiarizer:
    """The pipeline from a local folder, the hub's cache or the hub. Raises ListeningError, in seconds when offline."""
    name = settings.diarization_model or DEFAULT_MODEL
    prepare()
    folder = _find_folder(name, hub_token(settings))
    label, revision = identity(name, folder)
    pipeline = _load(folder, settings.device, hub_token(settings))
    return PyannoteDiarizer(pipeline, model_name=label, revision=revision)


def _find_folder(name: str, token: str | None) -> Path:
    """The folder that holds the pipeline's config.yaml and models."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / _CONFIG).is_file():
            raise ListeningError(f"{folder} holds no {_CONFIG}, so it is no pyannote pipeline.")
        return folder
    if folder.is_absolute() or name.startswith((".", "~")) or name.count("/") != 1:
        raise ListeningError(f"{name} is neither a folder nor a hub name like {DEFAULT_MODEL}.")

    from huggingface_hub import snapshot_download

    with contextlib.suppress(OSError, ValueError):
        cached = Path(snapshot_download(name, local_files_only=True))
        if (cached / _CONFIG).is_file():
            return cached
    if not hub_answers():
        raise ListeningError(f"{name} is not on this machine and the model hub cannot be reached.")
    try:
        return Path(snapshot_download(name, token=token))
    except (OSError, ValueError) as error:  # the hub's errors derive from OSError
        missing = "" if token else "; no token is set"
        raise ListeningError(f"{name} could not be fetched ({type(error).__name__}{missing}).") from error


@lru_cache(maxsize=1)
def _load(folder: Path, device: str, token: str | None) -> Any:
    """The pipeline on its device; loaded once."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # torchcodec is not there: samples are handed over, no file is read
        import torch
        from pyannote.audio import Pipeline

        try:
            pipeline = Pipeline.from_pretrained(folder, token=token)
        except Exception as error:  # a folder from outside: anything its parts raise means that it cannot be used
            raise ListeningError(f"{folder} holds no pipeline that can be loaded ({error}).") from error
    if pipeline is None:
        raise ListeningError(f"{folder} holds no pipeline that can be loaded.")
    has_gpu = torch.cuda.is_available()
    if device == "cuda" and not has_gpu:
        raise ListeningError("device cuda was asked for, but no CUDA GPU is found here.")
    if has_gpu and device != "cpu":
        pipeline.to(torch.device("cuda"))
    return pipeline
