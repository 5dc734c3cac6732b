"""The honesty line: how a scorecard was made and how far to trust it. Scorecard in, (topic, statement) pairs out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.assess.rubric import Rubric
from pipeline.records import Agreement, ListeningQuality, Scorecard
from pipeline.report import words
from pipeline.report.behaviour_cards import BehaviourCard

_HASH = re.compile(r"[0-9a-f]{32,}")
_LOW_TRUST = " (low trust: no trained model told the voices apart)"


def honesty_lines(scorecard: Scorecard, rubric: Rubric, cards: Sequence[BehaviourCard]) -> tuple[tuple[str, str], ...]:
    """(topic, statement) pairs: who heard and judged, how surely, what was withheld, and how well people agree."""
    quality = scorecard.call.quality
    models = "; ".join(f"{name} {_HASH.sub(_shortened, value)}" for name, value in quality.models)
    withheld = [card.short for card in cards if card.level is None]
    confidence, attributed = quality.word_confidence, quality.speech_attributed
    return (
        ("Heard by", quality.engine + (f" ({models})" if models else "")),
        ("Speakers told apart by", quality.diarization + (_LOW_TRUST if quality.diarization_trust == "low" else "")),
        *_language(quality),
        ("Confidence in the words", "not given by this source" if confidence is None else words.percent(confidence)),
        ("Speech with a known speaker", words.NOT_MEASURED if attributed is None else words.percent(attributed)),
        *_roles(scorecard),
        *_dropped(quality),
        ("Judged by rubric", f"{rubric.title} ({scorecard.rubric_id}, version {scorecard.rubric_version})"),
        *_calibration(rubric),
        ("Withheld", f"{len(withheld)} of {len(cards)}" + (f": {words.listing(withheld)}" if withheld else "")),
        ("Agreement with people", _agreement(scorecard, rubric)),
    )


def _language(quality: ListeningQuality) -> tuple[tuple[str, str], ...]:
    """The language that was heard; nothing where nobody detected or gave one."""
    if quality.language is None:
        return ()
    sure = quality.language_probability
    return (("Language", quality.language + ("" if sure is None else f" (detected, {words.percent(sure)} sure)")),)


def _roles(scorecard: Scorecard) -> tuple[tuple[str, str], ...]:
    """Who was given a role by inference, and how surely; nothing where all roles were given."""
    names = words.display_names(scorecard.call)
    told = [
        f"{names[one.speaker]}: {one.role}" + ("" if one.confidence is None else f" ({words.percent(one.confidence)})")
        for one in scorecard.call.participants
        if one.role_from in ("said", "others") or one.role == "unknown"
    ]
    return (("Roles told from what is said", "; ".join(told)),) if told else ()


def _dropped(quality: ListeningQuality) -> tuple[tuple[str, str], ...]:
    """What was taken away as not really said; nothing where nothing was."""
    if not quality.dropped:
        return ()
    told = "; ".join(f"{words.counted(count, 'word')}: {reason}" for reason, count in quality.dropped)
    return (("Left out as not really said", told),)


def _calibration(rubric: Rubric) -> tuple[tuple[str, str], ...]:
    """The calibration by which levels were given, and how well they agree with its raters; nothing without one."""
    used = rubric.calibration
    if used is None:
        return ()
    shorts = {one.name: one.short for one in rubric.behaviours}
    fitted = words.listing([shorts[name] for name, _ in used.thresholds if name in shorts]) or "no behaviour"
    measured = [one for one in used.agreement if one.behaviour in shorts]
    told = "; ".join(f"{shorts[one.behaviour]} {_beside(one)}" for one in measured)
    agreement = f" Weighted kappa with their agreed level: {told}." if told else ""
    raters = words.counted(used.raters, "rater")
    return (("Calibrated by", f"{used.file} ({used.id}): thresholds for {fitted} fit {raters}.{agreement}"),)


def _beside(one: Agreement) -> str:
    """ "0.71 (0.60 to 0.80; two raters 0.83)"."""
    people = "" if one.between_people is None else f"; two raters {one.between_people:.2f}"
    return f"{one.kappa:.2f} ({one.low:.2f} to {one.high:.2f}{people})"


def _agreement(scorecard: Scorecard, rubric: Rubric) -> str:
    """How well machine and people agree on each behaviour of the page, two people's agreement beside it."""
    measured = {one.behaviour: one for one in scorecard.agreement}
    shown = [
        (behaviour.short, measured[behaviour.judged_as])
        for behaviour in rubric.behaviours
        if behaviour.judged_as in measured
    ]
    if not shown:
        return "Not measured for this classifier: let people rate some calls before anybody acts on a level."
    machine = "; ".join(f"{name} {one.kappa:.2f} ({one.low:.2f} to {one.high:.2f})" for name, one in shown)
    people = [one.between_people for _, one in shown if one.between_people is not None]
    beside = f" Two people rating the same: {min(people):.2f} to {max(people):.2f}." if people else ""
    calls = max(one.calls for _, one in shown)
    return (
        f"Weighted kappa (1 is perfect, 0 is chance; with its 95 % interval) on {calls} written practice "
        f"{'meetings' if scorecard.call.is_meeting else 'calls'} by "
        f"authors whom the machine had not read: {machine}.{beside} On your own calls expect less."
    )


def _shortened(found: re.Match[str]) -> str:
    """The first twelve digits of a hash; the whole one stands in the provenance."""
    return f"{found[0][:12]}…"
