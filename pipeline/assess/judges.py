"""Which classifier judges: a configuration file in, a `Classifier` out."""

from __future__ import annotations

from pathlib import Path

from pipeline.assess.behaviours import Classifier, classifier_identity, load_classifier
from pipeline.assess.judge_file import LearnedSettings, read_judge
from pipeline.assess.llm_judge import LlmJudge
from pipeline.assess.scorecard import JudgedBy

__all__ = ["judge_identity", "load_judge"]


def load_judge(path: str | Path) -> Classifier:
    """The classifier that the file names; a learned one is loaded, a language model is first asked with the first call.

    Raises JudgeError (a UsageError) with every fault of the file, UsageError where a folder holds no usable model or
    encoder.
    """
    settings = read_judge(Path(path))
    if isinstance(settings, LearnedSettings):
        return load_classifier(settings.folder, settings.encoder)
    return LlmJudge(settings)


def judge_identity(path: str | Path | None = None) -> JudgedBy:
    """Version and agreement of the classifier that the file names (None: the shipped one); no network is loaded.

    Raises as `load_judge` does, but where weights alone are broken.
    """
    settings = None if path is None else read_judge(Path(path))
    if settings is None:
        return JudgedBy(*classifier_identity())
    if isinstance(settings, LearnedSettings):
        return JudgedBy(*classifier_identity(settings.folder, settings.encoder))
    judge = LlmJudge(settings)
    return JudgedBy(judge.version, judge.agreement)
