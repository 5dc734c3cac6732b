"""A tiny BERT encoder as a real folder, and heads trained on it in seconds from a corner of the corpus."""

import shutil
from collections import Counter
from functools import cache
from pathlib import Path

from pipeline import torch_runtime
from pipeline.calibrate.corpus import load_corpus
from pipeline.calibrate.samples import Settings
from pipeline.calibrate.train import train
from pipeline.records import BEHAVIOURS
from pipeline.resources import ROOT

CORPUS = ROOT / "data" / "corpus"


def corner_of_corpus(folder: Path) -> Path:
    """Four calls and ten contrast passages of the corpus, as a corpus of their own."""
    for kind in ("calls", "contrast"):
        (folder / kind).mkdir(parents=True)
    for name in ("t65", "t68", "t81", "t97"):
        shutil.copy(CORPUS / "calls" / f"{name}.json", folder / "calls")
    for behaviour in BEHAVIOURS:
        lines = (CORPUS / "contrast" / f"{behaviour}.jsonl").read_text(encoding="utf-8").splitlines()[:2]
        (folder / "contrast" / f"{behaviour}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def own_encoder(
    folder: Path,
    *,
    seed: int = 1,
    width: int = 32,
    positions: int = 512,
    markers: tuple[str, ...] = ("seller", "buyer"),
) -> Path:
    """An untrained BERT of two layers with its WordPiece tokenizer, as save_pretrained writes them."""
    torch_runtime.prepare()
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder.mkdir(parents=True)
    words = Counter(
        word
        for example in load_corpus(corner_of_corpus(folder / "corpus"))
        for line in example.lines
        for word in line.text.lower().split()
        if word.isalpha() and word not in ("seller", "buyer")
    )
    shutil.rmtree(folder / "corpus")
    letters = [chr(code) for code in range(33, 127)]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *markers, *letters, *[f"##{one}" for one in letters]]
    vocabulary += [word for word, _ in words.most_common(1000) if len(word) > 1]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=True)
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=width,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=2 * width,
        max_position_embeddings=positions,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        BertModel(config).save_pretrained(folder)
    return folder


@cache
def trained_on_own_encoder(place: Path) -> tuple[Path, Path]:
    """The folders of a tiny encoder and of heads trained on it, made once; do not change them."""
    encoder = own_encoder(place / "own" / "tiny-bert")
    settings = Settings(variants=1, epochs=4, frozen_layers=1, rate_heads=0.05, threads=1)
    train(
        corner_of_corpus(place / "own" / "corpus"), place / "own" / "heads", encoder_folder=encoder, settings=settings
    )
    return encoder, place / "own" / "heads"
