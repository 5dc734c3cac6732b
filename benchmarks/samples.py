"""How far do the samples' scorecards agree with their labels? `python benchmarks/samples.py`

Every sample is scored twice: from its recording with the embedded engine, and from its reference transcript. Printed
for each call: levels beside labels, words wrong, and where the takeover was found. Writes results/samples.json.
"""

import json
import re
from dataclasses import replace
from pathlib import Path

import jiwer

from pipeline.listen.captions import read_transcript
from pipeline.listen.manifest import read_manifest
from pipeline.records import Scorecard
from pipeline.score import score_call
from pipeline.settings import ListenSettings

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parent / "data" / "samples"
LABELS = json.loads((SAMPLES / "labels.json").read_text(encoding="utf-8"))
SETTINGS = ListenSettings(engine="sphinx")


def words(text: str) -> str:
    """Lower-case words only, as both sides of the word error rate are compared."""
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))


def word_error_rate(card: Scorecard, reference: Path) -> float:
    """WER over the whole call, speaker by speaker in the order of the reference's names."""
    heard: dict[str | None, list[str]] = {}
    for turn in card.call.turns:
        heard.setdefault(card.call.participant(turn.speaker).name, []).append(turn.text)
    said: dict[str | None, list[str]] = {}
    for turn in read_transcript(reference).turns:
        said.setdefault(turn.speaker, []).append(turn.text)
    names = list(said)
    return jiwer.wer(
        [words(" ".join(said[name])) for name in names], [words(" ".join(heard.get(name, []))) for name in names]
    )


def compared(card: Scorecard, source: str) -> dict[str, object]:
    """One row: the levels beside the labels, and the takeover."""
    label = LABELS[card.call.call_id]
    levels = {one.behaviour: one.level for one in card.behaviours if one.behaviour in label["levels"]}
    return {
        "call_id": card.call.call_id,
        "source": source,
        "levels": levels,
        "labels": {name: label["levels"][name] for name in levels},
        "takeover": card.joint.takeover,
        "began_at": card.joint.began_at,
        "labelled_began_at": (label.get("takeover") or {}).get("began_at"),
    }


def agreement(rows: list[dict[str, object]]) -> dict[str, int]:
    """Counts over behaviour-call pairs: all, given, exact, within one. A withheld level agrees with nothing."""
    pairs = [(row["levels"][name], row["labels"][name]) for row in rows for name in row["labels"]]
    given = [(level, label) for level, label in pairs if level is not None]
    return {
        "pairs": len(pairs),
        "given": len(given),
        "exact": sum(level == label for level, label in given),
        "within_one": sum(abs(level - label) <= 1 for level, label in given),
    }


def main() -> None:
    rows = []
    for row in read_manifest(SAMPLES / "calls.csv").rows:
        reference = row.transcript or SAMPLES / "reference" / f"{row.call_id}.vtt"
        rows.append(compared(score_call(replace(row, transcript=reference, recording=None)), "transcript"))
        if row.recording:
            card = score_call(row, settings=SETTINGS)
            rows.append({**compared(card, "audio"), "wer": round(word_error_rate(card, reference), 3)})
    for row in rows:
        pairs = " ".join(
            f"{'-' if level is None else level}/{row['labels'][name]}" for name, level in row["levels"].items()
        )
        takeover = f"takeover at {row['began_at']} (label {row['labelled_began_at']})" if row["takeover"] else ""
        print(f"{row['call_id']:20} {row['source']:10} {pairs}  WER {row.get('wer', '-')}  {takeover}")
    totals = {source: agreement([row for row in rows if row["source"] == source]) for source in ("audio", "transcript")}
    for source, counts in totals.items():
        print(source, counts, f"within one: {counts['within_one'] / counts['pairs']:.1%} of all pairs")
    (HERE / "results" / "samples.json").write_text(json.dumps({"rows": rows, "totals": totals}, indent=2) + "\n")


if __name__ == "__main__":
    main()
