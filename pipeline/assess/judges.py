"""Which classifier judges: a configuration file in, a `Classifier` out."""

from __future__ import annotations

from pathlib import Path

from pipeline.assess.behaviours import Classifier, load_classifier
from pipeline.assess.judge_file import LearnedSettings, read_judge
from pipeline.assess.llm_judge import LlmJudge

__all__ = ["load_judge"]


def load_judge(path: str | Path) -> Classifier:
    """The classifier that the file names; a learned one is loaded, a language model is first asked with the first call.

    Raises JudgeError (a UsageError) with every fault of the file, UsageError where a folder holds no usable model or
    encoder.
    """
    settings = read_judge(Path(path))
    if isinstance(settings, LearnedSettings):
        return load_classifier(settings.folder, settings.encoder)
    return LlmJudge(settings)
