"""A stored scorecard under another rubric: its public format in, the same with new levels out.

Nothing is listened to or judged again: levels follow from the stored probabilities, criteria and evidence. What a
stored scorecard does not hold any more is withheld with that reason, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline import __version__
from pipeline.assess.heard import why_badly_heard, why_passage_badly_heard
from pipeline.assess.levels import UNKNOWN, score_finding
from pipeline.assess.rubric import Rubric, RubricBehaviour
from pipeline.records import CRITERIA, Evidence, Finding

__all__ = ["relevelled"]

NOT_STORED = "The stored scorecard does not judge this behaviour; score the call again for it."
UNCITED = "Under this rubric there is a level, but the stored scorecard keeps no passage for it; score the call again."


def relevelled(card: Mapping[str, Any], rubric: Rubric, *, sha256: str) -> dict[str, Any]:
    """The scorecard under `rubric`. `sha256` is the stored file's, kept in the provenance as what it was made from.

    Talk measures and the manager's part stay as they are. Raises KeyError, TypeError or ValueError where `card` is no
    scorecard, UsageError where the rubric is calibrated for another classifier.
    """
    if rubric.calibration:
        rubric.calibration.check_classifier(card["provenance"]["models"]["behaviours"])
    quality = card["quality"]
    unheard = why_badly_heard(
        quality["word_confidence"], quality["speech_attributed"], quality.get("sides_known"), rubric
    )
    return {
        **card,
        "rubric": {"id": rubric.id, "version": rubric.version},
        "behaviours": {one.name: _behaviour(one, card["behaviours"], rubric, unheard) for one in rubric.behaviours},
        "quality": {**quality, "warnings": _warnings(card, rubric)},
        "provenance": _provenance(card["provenance"], rubric, sha256),
    }


def _behaviour(
    behaviour: RubricBehaviour, stored: Mapping[str, Any], rubric: Rubric, unheard: str | None
) -> dict[str, Any]:
    """The behaviour's entry; what this function does not know of the stored one is kept as it is."""
    entry = stored.get(behaviour.name) or stored.get(behaviour.judged_as)
    doubt = why_passage_badly_heard((entry or {}).get("word_confidence"), rubric)
    finding = _finding(behaviour, entry)
    score = score_finding(behaviour, finding, finding.withheld or unheard, doubt)
    withheld = score.withheld
    if (
        entry
        and entry["level"] == 0
        and withheld
        and not (finding.withheld or unheard or doubt)
        and not finding.evidence
    ):
        withheld = UNCITED
    kept = {} if entry is None else entry
    return {
        **kept,
        "level": score.level,
        "level_name": score.level_name,
        "probabilities": list(score.probabilities),
        "withheld": withheld,
        "criteria": list(score.criteria),
        "missing": list(score.missing),
        "evidence": kept["evidence"] if score.evidence else [],
        "word_confidence": kept.get("word_confidence"),
        "searched": kept.get("searched"),
    }


def _finding(behaviour: RubricBehaviour, entry: Mapping[str, Any] | None) -> Finding:
    """What was found, as far as it is stored: a call that could not be judged has no probabilities, only its reason."""
    if entry is None:
        return Finding(behaviour.judged_as, UNKNOWN, withheld=NOT_STORED)
    first, second, third, fourth = entry["probabilities"]
    probabilities = (float(first), float(second), float(third), float(fourth))
    evidence = tuple(Evidence(**{**one, "criteria": tuple(one["criteria"])}) for one in entry["evidence"])
    shown = {name for one in evidence for name in one.criteria} or set(entry["criteria"])
    criteria = tuple(name for name in CRITERIA[behaviour.judged_as] if name in shown)
    untold = entry["withheld"] if entry["withheld"] and probabilities == UNKNOWN else None
    return Finding(behaviour.judged_as, probabilities, criteria, evidence, withheld=untold)


def _warnings(card: Mapping[str, Any], rubric: Rubric) -> list[str]:
    """The stored warnings with what they say of the rubric brought up to date."""
    kept = [text for text in card["quality"]["warnings"] if not text.startswith("The rubric ")]
    if card["call_type"] not in rubric.call_types:
        meant = ", ".join(rubric.call_types)
        kept.append(f"The rubric {rubric.id} is meant for {meant}; this call is of type {card['call_type']}.")
    if not rubric.behaviours:
        kept.append(f"The rubric {rubric.id} judges no behaviours: only talk was measured.")
    return kept


def _provenance(stored: Mapping[str, Any], rubric: Rubric, sha256: str) -> dict[str, Any]:
    made = {name: value for name, value in stored.items() if name not in ("calibration", "relevelled")}
    made["rubric"] = f"{rubric.id} {rubric.version} sha256:{rubric.sha256}"
    if rubric.calibration:
        made["calibration"] = {"id": rubric.calibration.id, "file": rubric.calibration.file}
    return {**made, "relevelled": {"from": stored["rubric"], "scorecard_sha256": sha256, "code": __version__}}
