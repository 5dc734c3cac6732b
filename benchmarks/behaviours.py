"""How well are behaviours judged on authors the model never saw? Prints tables, writes results.

    python benchmarks/behaviours.py            # from the held-out predictions beside the weights, in seconds
    python benchmarks/behaviours.py --again    # trains the models of the cross-validation again, some 25 minutes

The training run leaves one line a call: what a model said of it that saw nothing of its author. The tables set them
against the labels. With --again a training run into a temporary folder makes those lines anew, and the script says
whether they are the ones that are shipped.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from pipeline.calibrate.card import baselines_table, coverage_table, figures_table
from pipeline.calibrate.corpus import load_corpus
from pipeline.calibrate.held_out import KINDS, evaluate, people_agree

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "data" / "corpus"
SHIPPED = ROOT / "models" / "behaviours" / "held_out.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--again", action="store_true", help="train the models of the cross-validation again")
    lines = _again() if parser.parse_args().again else SHIPPED.read_text(encoding="utf-8").splitlines()
    examples = load_corpus(CORPUS)
    report = evaluate([json.loads(line) for line in lines], examples)
    people = people_agree(CORPUS, examples)
    for kind in KINDS:
        title = "text as written" if kind == "clean" else f"{report['noise']:.0%} of the words wrong, no punctuation"
        print(f"## {report['calls']} sales calls of {report['authors']} author groups, unseen authors, {title}\n")
        print(figures_table(report[kind]["behaviours"], people), end="\n\n")
        print(coverage_table(report[kind]["coverage"]), end="\n\n")
    print(f"## Simpler means on the same calls\n\n{baselines_table(report)}")
    results = ROOT / "benchmarks" / "results" / "behaviours.json"
    results.write_text(json.dumps(report, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"wrote {results.relative_to(ROOT)}", file=sys.stderr)


def _again() -> list[str]:
    from pipeline.calibrate.train import train

    with tempfile.TemporaryDirectory() as folder:
        train(CORPUS, Path(folder), progress=_tell)
        made = (Path(folder) / "held_out.jsonl").read_text(encoding="utf-8")
    same = "the same as" if made == SHIPPED.read_text(encoding="utf-8") else "NOT the same as"
    print(f"\nthe predictions are {same} those shipped", file=sys.stderr)
    return made.splitlines()


def _tell(stage: str, done: int, total: int) -> None:
    print(f"\r{stage} {done}/{total}   ", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
