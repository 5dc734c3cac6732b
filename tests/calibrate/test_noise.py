import random

from pipeline.calibrate.noise import Mishearing, plain

TEXT = "So, the Rotterdam depot's at 3.5 — isn't it? We re-keyed 41% by hand, every Tuesday morning."


def test_plain_has_neither_case_nor_punctuation() -> None:
    assert plain("So, isn't it? Well — re-keyed!") == "so isn't it well re keyed"


def test_the_share_of_wrong_words_is_about_the_rate() -> None:
    import jiwer

    text = " ".join(f"{word} {n}" for n in range(60) for word in plain(TEXT).split())
    heard = Mishearing([TEXT, text])(text, 0.15, random.Random(1))
    assert 0.10 < jiwer.wer(plain(text), heard) < 0.20


def test_the_same_seed_hears_the_same() -> None:
    mishear = Mishearing([TEXT])
    assert mishear(TEXT, 0.3, random.Random(4)) == mishear(TEXT, 0.3, random.Random(4))
    assert mishear(TEXT, 0.0, random.Random(4)) == plain(TEXT)
