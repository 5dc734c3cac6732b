"""One call's output beside its reference: every figure that both have enough for, and sentences on the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.evaluate.figures import CallFigures, Figure
from pipeline.evaluate.normalise import words_of
from pipeline.evaluate.roles import role_accuracy, with_roles
from pipeline.evaluate.speakers import diarization_errors, side_share_error, talk_share_error
from pipeline.evaluate.spoken import Spoken, in_order
from pipeline.evaluate.words import cp_wer, wer
from pipeline.records import Role, Turn, side_of

_Notes = list[str]


def compare(
    call_id: str,
    reference: Spoken,
    heard: Spoken,
    *,
    language: str | None = None,
    names: Mapping[str, Role] | None = None,
) -> CallFigures:
    """The figures of one call, by name: wer, cpwer, der and its collars, talk_share_error, side_share_error,
    role_accuracy, side_accuracy.

    `language` (ISO 639-1) says how words are normalised; None takes the output's own, or English. `names` are the roles
    of people whom the reference calls by name (`label_key` -> role).
    """
    reference, heard = with_roles(reference, heard, names or {})
    notes = [*(f"Reference: {note}" for note in reference.notes), *(f"Output: {note}" for note in heard.notes)]
    figures = {
        **dict(_words(reference, heard, language or heard.language or "en", notes)),
        **dict(_speakers(reference, heard, notes)),
    }
    return CallFigures(call_id, {name: figures[name] for name in sorted(figures, key=_place)}, tuple(notes))


_ORDER = ("wer", "cpwer", "der", "der_0.125", "der_0.25", "talk_share_error", "side_share_error")


def _place(name: str) -> int:
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def _words(reference: Spoken, heard: Spoken, language: str, notes: _Notes) -> Iterator[tuple[str, Figure]]:
    """The figures that need a transcript on both sides."""
    if reference.turns is None or heard.turns is None:
        notes.append(f"No words were compared: the {_lacking(reference.turns)} has no transcript.")
        return
    said, got = _said(reference, reference.turns, language), _said(heard, heard.turns, language)
    if not said:
        notes.append("No words were compared: the reference has no words once it is normalised.")
        return
    yield "wer", wer([word for word, _, _ in said], [word for word, _, _ in got])
    yield "cpwer", cp_wer(_by_speaker(said), _by_speaker(got))
    if not (reference.knows_roles and (heard.states_roles or not got)):
        remedy = "" if reference.knows_roles else " Label its speakers rep, manager and customer, or give the manifest."
        notes.append(f"No roles were compared: the {_lacking(reference.knows_roles or None)} names none.{remedy}")
        return
    role, side = role_accuracy([(word, role) for word, _, role in said], [(word, role) for word, _, role in got])
    yield from (("role_accuracy", role), ("side_accuracy", side))


def _speakers(reference: Spoken, heard: Spoken, notes: _Notes) -> Iterator[tuple[str, Figure]]:
    """The figures that need speakers' times on both sides."""
    if reference.speech is None or heard.speech is None:
        notes.append(f"No speakers' times were compared: the {_lacking(reference.speech)} has none.")
        return
    yield from diarization_errors(reference.speech, heard.speech).items()
    yield "talk_share_error", talk_share_error(reference.speech, heard.speech)
    of_side = side_share_error(
        reference.speech,
        heard.speech,
        said=lambda label: side_of(reference.role(label)),
        got=lambda label: side_of(heard.role(label)),
    )
    if of_side is None:
        notes.append("The selling side's talk share was not compared: not every speaker's side is known.")
    else:
        yield "side_share_error", of_side


def _lacking(reference: object | None) -> str:
    return "reference" if reference is None else "output"


def _said(spoken: Spoken, turns: tuple[Turn, ...], language: str) -> list[tuple[str, str, Role]]:
    """Each normalised word with its speaker and role, in the order of time."""
    return [
        (word, turn.speaker, spoken.role(turn.speaker))
        for turn in in_order(turns)
        for word in words_of(turn.text, language)
    ]


def _by_speaker(said: list[tuple[str, str, Role]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word, speaker, _ in said:
        found.setdefault(speaker, []).append(word)
    return found
