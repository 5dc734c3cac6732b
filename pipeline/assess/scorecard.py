"""The scorecard: a call assessed by a rubric, and its public form as JSON. Call and rubric in, Scorecard out.

Judging (`Classifier`) and levelling (`scored`) are apart, so that findings that are kept get new levels by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import orjson

from pipeline import __version__
from pipeline.assess.behaviours import Classifier
from pipeline.assess.floor import sells_alone
from pipeline.assess.heard import sides_known
from pipeline.assess.levels import score_behaviours
from pipeline.assess.measurable import is_punctuated
from pipeline.assess.measures import measure
from pipeline.assess.rubric import Rubric
from pipeline.assess.takeover import manager_part
from pipeline.records import MEETINGS, Agreement, BehaviourScore, Call, Finding, Scorecard, Talk

_JSON = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY  # thirty times as fast as json's


class Judge(Protocol):
    """What a scorecard says of who judged; every Classifier is one, and so is `JudgedBy`."""

    @property
    def version(self) -> str:
        """What goes into the provenance."""
        ...

    @property
    def agreement(self) -> tuple[Agreement, ...]:
        """How well it agrees with people; empty where that was not measured."""
        ...


@dataclass(frozen=True, slots=True)
class JudgedBy:
    """Who judged, without what it judges with: enough to level findings that are kept."""

    version: str
    agreement: tuple[Agreement, ...] = ()


def assess(call: Call, rubric: Rubric, classifier: Classifier) -> Scorecard:
    """The scorecard of a call: behaviours with evidence and levels, talk measures, the manager's part, provenance.

    Raises UsageError where the rubric is calibrated for another classifier.
    """
    check_judge(rubric, classifier)
    return scored(call, classifier(call), rubric, classifier)


def check_judge(rubric: Rubric, judge: Judge) -> None:
    """Raise UsageError where the rubric is calibrated for another classifier."""
    if rubric.calibration:
        rubric.calibration.check_classifier(judge.version)


def scored(call: Call, findings: Sequence[Finding], rubric: Rubric, judge: Judge) -> Scorecard:
    """The scorecard of a call in which `judge` found `findings`, now or earlier: nobody judges again.

    Raises UsageError where the rubric is calibrated for another classifier.
    """
    check_judge(rubric, judge)
    return Scorecard(
        call=call,
        rubric_id=rubric.id,
        rubric_version=rubric.version,
        behaviours=score_behaviours(call, findings, rubric),
        talk=measure(call),
        joint=manager_part(call, rubric),
        warnings=(*call.warnings, *_warnings(call, rubric)),
        provenance=(
            ("code", __version__),
            ("rubric", f"{rubric.id} {rubric.version} sha256:{rubric.sha256}"),
            ("models", {**dict(call.quality.models), "behaviours": judge.version}),
            ("recording_sha256", call.source_sha256),
            *_calibration(rubric),
        ),
        agreement=judge.agreement,
    )


def _calibration(rubric: Rubric) -> list[tuple[str, dict[str, str]]]:
    """The calibration that set the thresholds, for the provenance; nothing where they are the rubric's own."""
    used = rubric.calibration
    return [] if used is None else [("calibration", {"id": used.id, "file": used.file})]


def _warnings(call: Call, rubric: Rubric) -> list[str]:
    warnings = []
    if call.turns and not is_punctuated(call):
        warnings.append("The transcript has no sentence punctuation, so questions were not counted.")
    if call.call_type not in rubric.call_types:
        meant = ", ".join(rubric.call_types)
        warnings.append(f"The rubric {rubric.id} is meant for {meant}; this call is of type {call.call_type}.")
    if not call.is_meeting and sells_alone(call):
        warnings.append(
            "Only the selling side speaks here, so nothing of it counts as selling. If it is a manager's meeting, give "
            f"it the call type {' or '.join(MEETINGS)} in the manifest."
        )
    if call.is_meeting and any(call.side(turn) == "buyer" for turn in call.turns):
        warnings.append(
            f"A buyer speaks on this call of type {call.call_type}, and only the manager's part was judged. If it is a "
            "sales call, give it the right call type in the manifest."
        )
    if not rubric.behaviours:
        warnings.append(f"The rubric {rubric.id} judges no behaviours: only talk was measured.")
    return warnings


def to_json(scorecard: Scorecard) -> str:
    """The scorecard in its public format (`pipeline/scorecard.schema.json`), the same bytes for the same scorecard."""
    return orjson.dumps(to_dict(scorecard), option=_JSON).decode()


def to_dict(scorecard: Scorecard) -> dict[str, Any]:
    """The public format as plain values; times in seconds, shares from 0 to 1, None for "not measured"."""
    call, quality = scorecard.call, scorecard.call.quality
    return {
        "call_id": call.call_id,
        "call_type": call.call_type,
        "started_at": call.started_at,
        "duration": _time(call.duration),
        "source": call.source,
        "rubric": {"id": scorecard.rubric_id, "version": scorecard.rubric_version},
        "participants": [asdict(one) for one in call.participants],
        "behaviours": {score.behaviour: _behaviour(score) for score in scorecard.behaviours},
        "talk": _talk(scorecard.talk),
        "joint": {**asdict(scorecard.joint), "began_at": _time(scorecard.joint.began_at)},
        "quality": {
            "engine": quality.engine,
            "models": dict(quality.models),
            "diarization": quality.diarization,
            "diarization_trust": quality.diarization_trust,
            "word_confidence": _share(quality.word_confidence),
            "speech_attributed": _share(quality.speech_attributed),
            "sides_known": sides_known(call),
            "language": quality.language,
            "language_probability": _share(quality.language_probability),
            "dropped": dict(quality.dropped),
            "warnings": list(scorecard.warnings),
            "agreement": {one.behaviour: _agreement(one) for one in scorecard.agreement},
        },
        "details": dict(call.details),
        "provenance": dict(scorecard.provenance),
    }


def _behaviour(score: BehaviourScore) -> dict[str, Any]:
    return {
        "level": score.level,
        "level_name": score.level_name,
        "probabilities": list(score.probabilities),
        "withheld": score.withheld,
        "criteria": list(score.criteria),
        "missing": list(score.missing),
        "evidence": [
            {**asdict(one), "start": _time(one.start), "end": _time(one.end), "criteria": list(one.criteria)}
            for one in score.evidence
        ],
        "word_confidence": score.word_confidence,
        "searched": None if score.searched is None else {"first": score.searched[0], "last": score.searched[1]},
    }


def _agreement(one: Agreement) -> dict[str, Any]:
    return {name: value for name, value in asdict(one).items() if name != "behaviour"}


def _talk(talk: Talk) -> dict[str, Any]:
    return {
        "basis": talk.basis,
        "by_speaker": {speaker: asdict(measures) for speaker, measures in talk.by_speaker},
        "by_side": {side: asdict(measures) for side, measures in talk.by_side},
        "switches_per_minute": talk.switches_per_minute,
        "dead_air": talk.dead_air,
        "withheld": dict(talk.withheld),
    }


def _time(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
