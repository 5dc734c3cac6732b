"""The options that several commands share: how it is listened and judged, and what is printed."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeline.settings import ListenSettings


class EngineName(StrEnum):
    """Who listens."""

    auto = "auto"
    whisper = "whisper"
    sphinx = "sphinx"
    fake = "fake"


class WhisperMode(StrEnum):
    """How Whisper decodes."""

    auto = "auto"
    sequential = "sequential"
    batched = "batched"


class Device(StrEnum):
    """Where models run."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


Rubric = Annotated[
    str | None, typer.Option("--rubric", help="A shipped rubric's name or a YAML file.", show_default="by call type")
]
Judge = Annotated[
    Path | None, typer.Option("--judge", help="YAML file of another classifier or a language model's server.")
]
Calibration = Annotated[
    Path | None, typer.Option("--calibration", help="calibration.json with thresholds that fit your raters.")
]
Engine = Annotated[
    EngineName, typer.Option("--engine", help="Who writes down the words; fake reads made-up recordings, for trials.")
]
WhisperModel = Annotated[str | None, typer.Option("--whisper-model", help="Whisper weights: a name or a local folder.")]
DiarizationModel = Annotated[
    str | None, typer.Option("--diarization-model", help="pyannote weights: a name or a local folder.")
]
OnDevice = Annotated[Device, typer.Option("--device", help="Where models run.")]
Language = Annotated[
    str | None, typer.Option("--language", help="Language of the calls, as en.", show_default="detected")
]
Speakers = Annotated[
    str | None, typer.Option("--speakers", help="How many people speak, as 2 or 2-4, where no manifest tells.")
]
Vocabulary = Annotated[
    Path | None, typer.Option("--vocabulary", help="Text file of names and terms worth expecting, one a line.")
]
Decoding = Annotated[
    WhisperMode, typer.Option("--whisper-mode", help="Whether Whisper decodes several windows at once.")
]


def listen_settings(
    *,
    engine: EngineName,
    whisper_model: str | None,
    diarization_model: str | None,
    device: Device,
    language: str | None,
    speakers: str | None,
    vocabulary: Path | None,
    whisper_mode: WhisperMode,
) -> ListenSettings:
    """The settings that the options ask for. Raises UsageError where one of them cannot be read."""
    from pipeline.listen.manifest_cells import read_speakers
    from pipeline.listen.vocabulary import read_vocabulary
    from pipeline.settings import ListenSettings

    return ListenSettings(
        engine=engine.value,
        whisper_model=whisper_model,
        diarization_model=diarization_model,
        device=device.value,
        language=language,
        speakers=read_speakers(speakers),
        vocabulary=() if vocabulary is None else read_vocabulary(vocabulary),
        whisper_mode=whisper_mode.value,
    )
