"""How well are the five core behaviours judged on authors the model never saw? Prints a table, writes results.

    python benchmarks/behaviours.py

Scores the held-out predictions that the training run left beside the weights (one line a call, each by a model that
saw no call of its author) against the corpus; `ridealong train` makes them again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pipeline.calibrate.card import coverage_table, figures_table
from pipeline.calibrate.corpus import load_corpus
from pipeline.calibrate.held_out import KINDS, evaluate

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    lines = (ROOT / "models" / "behaviours" / "held_out.jsonl").read_text(encoding="utf-8").splitlines()
    report = evaluate([json.loads(line) for line in lines], load_corpus(ROOT / "data" / "corpus"))
    for kind in KINDS:
        title = "text as written" if kind == "clean" else f"{report['noise']:.0%} of the words wrong, no punctuation"
        print(f"## {report['calls']} calls, unseen authors, {title}\n")
        print(figures_table(report[kind]["behaviours"]), end="\n\n")
        print(coverage_table(report[kind]["coverage"]), end="\n\n")
    results = ROOT / "benchmarks" / "results" / "behaviours.json"
    results.write_text(json.dumps(report, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"wrote {results.relative_to(ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    main()
