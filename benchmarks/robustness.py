"""Do levels stand still when names, words or spelling change, and when listening goes wrong? Prints, writes results.

    python benchmarks/robustness.py [--judge FILE] [--calls N]

Every labelled sales call of the corpus, edited in each way, through the shipped classifier or another judge. The
shipped one was trained on these calls: its agreement with the labels is optimistic here and means something only beside
the undisturbed one; what it does on unseen authors is in models/behaviours/card.md. Flips need no labels.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from pipeline.assess.behaviours import Classifier, load_classifier
from pipeline.assess.judges import load_judge
from pipeline.calibrate.counterfactuals import EDITS, edited
from pipeline.calibrate.robustness import agreement_row, disturbances_of, flips, labelled_calls, levels_of
from pipeline.records import BEHAVIOURS

ROOT = Path(__file__).resolve().parent.parent
GOAL = 0.02


def main() -> None:
    asked = arguments()
    classifier = load_judge(asked.judge) if asked.judge else load_classifier()
    report = measure(classifier, asked.calls)
    print(f"## Counterfactuals: {report['calls']} calls, {classifier.version}; goal: under {GOAL:.0%} flipped\n")
    print(flips_table(report), end="\n\n")
    print("## Disturbances: weighted kappa with the labels (trained on these calls: optimistic, compare with clean)\n")
    print(agreement_table(report))
    if not asked.judge and not asked.calls:
        results = ROOT / "benchmarks" / "results" / "robustness.json"
        results.write_text(json.dumps(report, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(f"wrote {results.relative_to(ROOT)}", file=sys.stderr)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge", type=Path, help="a judge's YAML file instead of the shipped classifier")
    parser.add_argument("--calls", type=int, help="about so many calls, spread over the corpus; writes no results")
    return parser.parse_args()


def measure(classifier: Classifier, most: int | None) -> dict:
    labelled = labelled_calls(ROOT / "data" / "corpus")
    labelled = labelled[:: max(1, len(labelled) // most)] if most else labelled
    calls = [one.call for one in labelled]
    labels = [tuple(one.levels[name] for name in BEHAVIOURS) for one in labelled]
    clean = [levels_of(classifier, call) for call in calls]
    counterfactuals, every = {}, []
    for name in EDITS:
        print(name, file=sys.stderr)
        changed = [edited(call, name) for call in calls]
        after = [
            levels if new == call else levels_of(classifier, new)  # an edit may find nothing to change
            for call, new, levels in zip(calls, changed, clean, strict=True)
        ]
        counterfactuals[name] = flips(clean, after)
        every += after
    agreement = {"clean": agreement_row(labels, clean)}
    for name, disturb in disturbances_of(calls).items():
        print(name, file=sys.stderr)
        agreement[name] = agreement_row(labels, [levels_of(classifier, disturb(call)) for call in calls])
    counterfactuals["all"] = flips(clean * len(EDITS), every)
    version = classifier.version
    return {"version": version, "calls": len(calls), "counterfactuals": counterfactuals, "agreement": agreement}


def flips_table(report: dict) -> str:
    head = f"| edit | pairs | flipped | share | by more than one | {' | '.join(BEHAVIOURS)} |"
    rows = [
        f"| {name} | {row['pairs']} | {row['flipped']} | {row['share']:.1%} | {row['by_more_than_one']} | "
        f"{' | '.join(str(row['by_behaviour'][behaviour]) for behaviour in BEHAVIOURS)} |"
        for name, row in ((name, report["counterfactuals"][name]) for name in (*EDITS, "all"))
    ]
    return "\n".join([head, "| --- " * (5 + len(BEHAVIOURS)) + "|", *rows])


def agreement_table(report: dict) -> str:
    names = (*BEHAVIOURS, "mean")
    head = f"| transcript | {' | '.join(names)} |"
    rows = [
        f"| {title} | {' | '.join(f'{row[name]:.2f}' for name in names)} |"
        for title, row in report["agreement"].items()
    ]
    return "\n".join([head, "| --- " * (1 + len(names)) + "|", *rows])


if __name__ == "__main__":
    main()
