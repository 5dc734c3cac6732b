"""Text -> the words that are compared, by Whisper's published text normaliser, so that figures stand beside published
ones: case, punctuation, spelling and the writing of numbers are no errors.

The normaliser is the one of Radford et al. 2022, appendix C, as transformers carries it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

Normaliser = Callable[[str], str]

WITHOUT_SPACES = frozenset({"zh", "yue", "ja", "th", "lo", "my"})
"""Languages written without spaces between words: their characters are compared, as in the Whisper paper."""

_SPELLING = Path(__file__).with_name("spelling.txt")


def words_of(text: str, language: str = "en") -> list[str]:
    """The normalised words of a text; `language` is an ISO 639-1 code.

    English: lower case, contractions written out, numbers as digits, American spelling; "uh", "um", "hmm", "mm", "mhm"
    and whatever stands in brackets left out. Other languages: lower case without punctuation; characters where words
    have no spaces between them.
    """
    return _normaliser(language)(text).split()


@lru_cache(maxsize=32)
def _normaliser(language: str) -> Normaliser:
    from pipeline.torch_runtime import prepare

    prepare()
    from transformers.models.whisper import english_normalizer as whisper

    code = language.lower().replace("_", "-").split("-")[0]
    english: Callable[[dict[str, str]], Normaliser] = whisper.EnglishTextNormalizer
    other: Callable[..., Normaliser] = whisper.BasicTextNormalizer
    return english(_spelling()) if code == "en" else other(split_letters=code in WITHOUT_SPACES)


def _spelling() -> dict[str, str]:
    """British spelling -> American."""
    lines = _SPELLING.read_text(encoding="utf-8").splitlines()
    pairs = (line.split() for line in lines if line and not line.startswith("#"))
    return {british: american for british, american in pairs}
