"""How many speakers get their role from what is said, and how many of those are wrong? Prints, writes results.

    python benchmarks/roles.py [--fit] [--calls N]

Every labelled sales call of the corpus, with speakers named S1, S2 and so on, through `listen.roles.assign_roles`.
Nothing that is fitted saw the call's author: neither the learned head nor the weights of phrases (`--fit` prints those
of all authors, as they stand in listen/cues.py). The phrases, the rules for names and the weights of single clues were
written with the whole corpus in sight, so figures on calls of another kind can be worse. Takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from pipeline.assess.encoder import base_encoder
from pipeline.assess.sides import SIDE_LAYERS, chosen_turns, side_features
from pipeline.calibrate.corpus import author_group, load_corpus
from pipeline.calibrate.noise import Mishearing
from pipeline.calibrate.side_head import fit_head, side_rows
from pipeline.listen.call_rows import CallRow
from pipeline.listen.cues import PHRASES, SideWeights, side_cues
from pipeline.listen.role_chances import Expected
from pipeline.listen.roles import SURE, assign_roles
from pipeline.records import Role, Turn

ROOT = Path(__file__).resolve().parent.parent
NOISE = 0.15
BEGINNING = 30
"""Turns of a call's beginning, about three minutes."""
GROUPS = ("two voices", "three and more", "joint")
TEXTS = ("as written", "as heard")


@dataclass(frozen=True)
class Case:
    """One call in one view: its turns, the true role of each speaker, and the row that a full manifest would have."""

    name: str
    author: str
    text: str
    part: str
    turns: tuple[Turn, ...]
    roles: Mapping[str, Role]
    people: Mapping[str, str]
    row: CallRow

    @property
    def speakers(self) -> list[str]:
        """Who speaks, in order of first turns."""
        return list(dict.fromkeys(turn.speaker for turn in self.turns))

    @property
    def group(self) -> str:
        """The kind of call that figures are given for."""
        if self.row.call_type == "joint":
            return "joint"
        return "two voices" if len(self.roles) == 2 else "three and more"

    def without_names(self) -> CallRow:
        """The row without anybody's name."""
        return replace(self.row, rep=None, manager=None, customers=())


class Remembering:
    """The sentence encoder, each sentence once."""

    def __init__(self) -> None:
        self.encoder, self.known = base_encoder(), {}

    def vectors(self, texts: Sequence[str], layers: int):
        """What the encoder gives for the texts."""
        new = sorted(set(texts) - self.known.keys(), key=len)
        for start in range(0, len(new), 64):
            batch = new[start : start + 64]
            self.known.update(zip(batch, self.encoder.vectors(batch, layers), strict=True))
        import torch

        return torch.stack([self.known[text] for text in texts])


Infer = Callable[[Mapping[str, Sequence[str]]], dict[str, float]]


def main() -> None:
    asked = arguments()
    cases = load_cases(asked.calls)
    encoder = Remembering()
    heads = held_out_heads(encoder, {case.author for case in cases})
    infers = {author: infer_with(encoder, head) for author, head in heads.items()}
    chances = [infers[case.author](said_by(case)) for case in cases]
    print(f"{len(cases)} views encoded", file=sys.stderr)
    rows = [(case.author, *evidence(case, chance)) for case, chance in zip(cases, chances, strict=True)]
    if asked.fit:
        print("on all authors:", fit(rows))
    weights = {author: fit([row for row in rows if row[0] != author]) for author in sorted(heads)}
    answers = [Answer(case, chance, weights[case.author]) for case, chance in zip(cases, chances, strict=True)]
    report = {"roles": table(answers), "channels": channels(answers), "sure": SURE, "calls": len(cases) // 4}
    show(report)
    if not asked.calls:
        results = ROOT / "benchmarks" / "results" / "roles.json"
        results.write_text(json.dumps(report, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(f"wrote {results.relative_to(ROOT)}", file=sys.stderr)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", action="store_true", help="print the phrases' weights on all authors")
    parser.add_argument("--calls", type=int, help="about so many calls, spread over the corpus; writes no results")
    return parser.parse_args()


# --- calls ----------------------------------------------------------------------------------------


def load_cases(most: int | None) -> list[Case]:
    calls = [json.loads(path.read_text("utf-8")) for path in sorted((ROOT / "data/corpus/calls").glob("*.json"))]
    mishear = Mishearing(turn["text"] for call in calls for turn in call["turns"])
    calls = [call for call in calls if call["type"] in ("discovery", "demo", "joint")]
    calls = calls[:: max(1, len(calls) // most)] if most else calls
    return [case for call in calls for case in views(call, mishear)]


def views(call: dict, mishear: Mishearing) -> list[Case]:
    chance = random.Random(f"noise{call['id']}")
    written = [Turn(turn["speaker"], turn["text"]) for turn in call["turns"]]
    heard = [Turn(turn.speaker, mishear(turn.text, NOISE, chance)) for turn in written]
    roles = {one["speaker"]: one["role"] for one in call["participants"]}
    people = {one["speaker"]: one["name"] for one in call["participants"]}
    of = {role: tuple(people[one] for one in roles if roles[one] == role) for role in ("rep", "manager", "customer")}
    row = CallRow(
        Path("a.wav"), call["id"], call_type=call["type"], rep=of["rep"][0], manager=(of["manager"] or (None,))[0],
        customers=of["customer"],
    )  # fmt: skip
    return [
        Case(call["id"], author_group(call["id"]), text, part, tuple(turns[:last]), roles, people, row)
        for text, turns in zip(TEXTS, (written, heard), strict=True)
        for part, last in (("whole", len(turns)), ("beginning", BEGINNING))
    ]


def said_by(case: Case) -> dict[str, list[str]]:
    return {one: [turn.text for turn in case.turns if turn.speaker == one] for one in case.speakers}


# --- what is fitted, without the call's author ------------------------------------------------------


def held_out_heads(encoder: Remembering, authors: set[str]) -> dict[str, tuple]:
    examples = [one for one in load_corpus(ROOT / "data" / "corpus") if one.sales_call]
    rows, sides, groups, _ = side_rows(encoder, examples)
    return {author: fit_head(rows[groups != author], sides[groups != author]) for author in sorted(authors)}


def infer_with(encoder: Remembering, head: tuple) -> Infer:
    """`assess.sides.seller_probability` with another head."""
    weights, bias = head

    def infer(said: Mapping[str, Sequence[str]]) -> dict[str, float]:
        chosen = {one: texts for one, spoken in said.items() if (texts := chosen_turns(spoken))}
        vectors = {one: encoder.vectors(texts, SIDE_LAYERS).double().numpy() for one, texts in chosen.items()}
        return {
            one: round(float(1 / (1 + np.exp(-(found @ weights + bias)))), 4)
            for one, found in side_features(vectors).items()
        }

    return infer


def evidence(case: Case, chance: Mapping[str, float]) -> tuple:
    """For one call the features of each speaker, the ways to choose who sells with their log weight before anything is
    said, and the number of the true one (None where one side says nothing)."""
    cues = side_cues(case.turns, case.speakers)
    logits = {one: min(max(chance.get(one, 0.5), 0.0005), 0.9995) for one in case.speakers}
    features = np.array([[1, math.log(logits[one] / (1 - logits[one])), *cues[one]] for one in case.speakers])
    ways = np.array([way for way in product((0, 1), repeat=len(features)) if 0 < sum(way) < len(way)])
    usual = Expected(joint=case.row.call_type == "joint")
    weight = np.array([usual.log_weight(1, int(sum(way) > 1), 1) - 4.0 * (sum(way) > 2) for way in ways])
    truth = [int(case.roles[one] != "customer") for one in case.speakers]
    right = [number for number, way in enumerate(ways) if way.tolist() == truth]
    return features, ways, weight, right[0] if right else None


def fit(rows: Sequence[tuple]) -> SideWeights:
    """The weights under which the true sellers are likeliest, with a little ridge."""
    from scipy.optimize import minimize

    used = [row[1:] for row in rows if row[4] is not None]
    ridge = np.array([0.0] + [0.5] * (1 + len(PHRASES)))

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope = 0.5 * float(ridge @ weights**2), ridge * weights
        for features, ways, before, right in used:
            scores = ways @ (features @ weights) + before
            chances = np.exp(scores - scores.max())
            chances /= chances.sum()
            total -= math.log(max(chances[right], 1e-300))
            slope = slope - (ways[right] - chances @ ways) @ features
        return total, slope

    found = minimize(loss, np.zeros(2 + len(PHRASES)), jac=True, method="L-BFGS-B").x.round(2).tolist()
    return SideWeights(found[0], found[1], tuple(found[2:]))


# --- figures --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """A case with what the head says of it and the weights that did not see its author."""

    case: Case
    chance: Mapping[str, float]
    weights: SideWeights

    def roles(self, row: CallRow, rename: Mapping[str, str] | None = None):
        """What `assign_roles` says, with the speakers under other labels."""
        label = rename or {one: one for one in self.case.speakers}
        turns = tuple(replace(turn, speaker=label[turn.speaker]) for turn in self.case.turns)
        chance = {label[one]: value for one, value in self.chance.items()}
        speakers = [label[one] for one in self.case.speakers]
        found = assign_roles(
            speakers, turns, row, infer=lambda said: {one: chance.get(one, 0.5) for one in said}, weights=self.weights
        )
        back = {new: old for old, new in label.items()}
        return [(back[one.speaker], one) for one in found.participants], found.warnings


def table(answers: Sequence[Answer]) -> list[dict]:
    found = []
    for named, text, part, group in product((False, True), TEXTS, ("whole", "beginning"), GROUPS):
        chosen = [one for one in answers if (one.case.text, one.case.part, one.case.group) == (text, part, group)]
        row = {"names": named, "text": text, "part": part, "group": group}
        found.append(row | counts(chosen, named=named))
    first = [one for one in answers if one.case.roles[one.case.speakers[0]] == "customer" and one.case.part == "whole"]
    found.append({"names": False, "text": "both", "part": "whole", "group": "customer first"} | counts(first))
    return found


def counts(answers: Sequence[Answer], named: bool = False) -> dict:
    total: Counter[str] = Counter(calls=len(answers), speakers=0, told=0, wrong=0, side_only=0, unknown=0, named=0)
    for answer in answers:
        row = answer.case.row if named else answer.case.without_names()
        for speaker, one in answer.roles(row)[0]:
            kind = kind_of(one)
            total.update(["speakers", kind] + ["named"] * (one.name is not None))
            total["wrong"] += kind == "told" and one.role != answer.case.roles[speaker]
            total["misnamed"] += named and one.name is not None and answer.case.people[speaker] not in one.name
    return dict(total) | {"misnamed": total["misnamed"]}


def kind_of(one) -> str:
    if one.role == "unknown":
        return "unknown"
    return "side_only" if one.confidence is not None and one.confidence < SURE else "told"


def channels(answers: Sequence[Answer]) -> dict:
    """The two parties on a channel each: false alarms where the manifest is right, and found where it is swapped; and
    rep and manager told apart on one channel."""
    found: dict = {}
    for text in TEXTS:
        two = [a for a in answers if (a.case.text, a.case.part, a.case.group) == (text, "whole", "two voices")]
        for named in (False, True):
            right, swapped = 0, 0
            for one in two:
                row = one.case.row if named else one.case.without_names()
                label = {s: f"channel-{1 if role == 'rep' else 2}" for s, role in one.case.roles.items()}
                right += warned(one, replace(row, channels=(("rep",), ("customer",))), label)
                swapped += warned(one, replace(row, channels=(("customer",), ("rep",))), label)
            key = f"{text}, {'names' if named else 'no names'}"
            found[key] = {"calls": len(two), "false_alarms": right, "swapped_found": swapped}
        joint = [a for a in answers if (a.case.text, a.case.part, a.case.group) == (text, "whole", "joint")]
        for named in (False, True):
            found[f"{text}, rep and manager on one channel, {'names' if named else 'no names'}"] = one_channel(
                joint, named
            )
    return found


def warned(answer: Answer, row: CallRow, label: Mapping[str, str]) -> bool:
    return any("may be swapped" in warning for warning in answer.roles(row, label)[1])


def one_channel(answers: Sequence[Answer], named: bool) -> dict:
    total: Counter[str] = Counter(calls=len(answers), voices=0, told=0, wrong=0)
    for answer in answers:
        row = answer.case.row if named else answer.case.without_names()
        row = replace(row, channels=(("rep", "manager"), ("customer",)))
        buyers = [one for one, role in answer.case.roles.items() if role == "customer"]
        sellers = [one for one in answer.case.roles if one not in buyers]
        label = {one: f"channel-2-voice-{n}" for n, one in enumerate(buyers, 1)}
        label |= {one: f"channel-1-voice-{n}" for n, one in enumerate(sellers, 1)}
        for speaker, one in answer.roles(row, label)[0]:
            if speaker in sellers:
                total.update(["voices"] + ["told"] * (kind_of(one) == "told"))
                total["wrong"] += kind_of(one) == "told" and one.role != answer.case.roles[speaker]
    return dict(total)


def show(report: dict) -> None:
    print(f"## Roles from what is said: {report['calls']} calls, each by what never saw its author\n")
    keys = ("calls", "speakers", "told", "wrong", "side_only", "unknown", "named", "misnamed")
    print(f"| names in the manifest | text | part | call | {' | '.join(keys)} | wrong of told |")
    print("| --- " * (5 + len(keys)) + "|")
    for row in report["roles"]:
        share = f"{row['wrong'] / row['told']:.1%}" if row["told"] else "–"
        cells = " | ".join(str(row[key]) for key in keys)
        names = "yes" if row["names"] else "no"
        print(f"| {names} | {row['text']} | {row['part']} | {row['group']} | {cells} | {share} |")
    print("\n## Channels\n")
    for name, row in report["channels"].items():
        print(f"- {name}: {', '.join(f'{key} {value}' for key, value in row.items())}")


if __name__ == "__main__":
    main()
