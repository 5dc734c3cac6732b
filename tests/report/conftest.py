"""Scorecards built by hand: a rich joint call with a takeover, and the edge cases of the page. And one browser."""

from __future__ import annotations

import math
import os
import shutil
import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.assess.measures import measure
from pipeline.assess.rubric import Rubric
from pipeline.assess.takeover import manager_part
from pipeline.records import (
    BehaviourScore,
    Call,
    Evidence,
    ListeningQuality,
    Participant,
    Role,
    Scorecard,
    SpeechSegment,
    Turn,
)
from tests.builders import core_rubric

ROLES: dict[str, Role] = {"T": "rep", "P": "manager", "I": "customer", "M": "customer"}
NAMES = {"T": "Tom Adeyemi", "P": "Priya Nair", "I": "Ines Roth", "M": "Marek Dvořák"}

JOINT_CALL = (Path(__file__).parent / "joint_call.txt").read_text(encoding="utf-8")
"""One line a turn: speaker, seconds, text. Times are laid end to end with a pause of 0.4 s."""


def spoken(script: str, *, timed: bool = True) -> tuple[Turn, ...]:
    """The turns of a script."""
    turns, now = [], 1.0
    for line in script.strip().splitlines():
        speaker, seconds, text = line.split(" ", 2)
        end = now + float(seconds)
        turns.append(Turn(speaker, text, now, end) if timed else Turn(speaker, text))
        now = round(end + 0.4, 3)
    return tuple(turns)


def cite(call: Call, turn: int, quote: str, *criteria: str) -> Evidence:
    """Evidence that quotes the turn verbatim."""
    one = call.turns[turn]
    if quote not in one.text:
        raise ValueError(f"{quote!r} is not in turn {turn}")
    return Evidence(turn, one.start, one.end, one.speaker, call.role(one), quote, criteria)


def joint_call(*, timed: bool = True) -> Call:
    turns = spoken(JOINT_CALL, timed=timed)
    speech = tuple(SpeechSegment(one.speaker, one.start, one.end) for one in turns if one.start is not None and one.end)
    return Call(
        call_id="hexley-2026-03-02",
        call_type="joint",
        turns=turns,
        participants=tuple(Participant(label, NAMES[label], ROLES[label]) for label in "TPIM"),
        duration=(turns[-1].end or 0) + 2 if timed else None,
        quality=ListeningQuality(
            engine="faster-whisper",
            models=(("whisper", "large-v3-turbo"),),
            diarization="channels",
            word_confidence=0.91,
            speech_attributed=0.994,
            warnings=("For 6 s both channels carry the same voice; those words are given to the louder one.",),
        ),
        source="hexley-2026-03-02.flac",
        source_sha256="5b1f" * 16,
        started_at="2026-03-02T10:00:00",
        speech=speech if timed else (),
        details=(("company", "Hexley Foods"), ("team", "North")),
    )


def joint_behaviours(call: Call) -> tuple[BehaviourScore, ...]:
    """Every level once, and one withheld."""
    return (
        BehaviourScore(
            "agenda", 3, (0.02, 0.05, 0.22, 0.71), None, ("purpose", "plan", "agreement", "outcome", "tailored"), (),
            (
                cite(call, 2, "you wrote that the second changeover is eating your Fridays.", "tailored"),
                cite(
                    call, 2,
                    "I'd like to understand that first, then show you how the scheduler handles it, and leave ten "
                    "minutes for questions. By eleven we'd decide whether a trial on line four makes sense. Does that "
                    "work, or is there something you'd put first?",
                    "purpose", "plan", "agreement", "outcome",
                ),
            ),
            (0, 6),
        ),
        BehaviourScore(
            "client_story", 1, (0.10, 0.55, 0.25, 0.10), None, ("client",),
            ("situation", "change", "result", "relevance"),
            (cite(call, 10, "We work with a lot of food companies like you, some really big logos", "client"),),
            (0, 29),
        ),
        BehaviourScore(
            "differentiation", 0, (0.62, 0.30, 0.06, 0.02), None, (), ("contrast", "benefit", "need", "proof"), (),
            (0, 29),
        ),
        BehaviourScore(
            "value_proposition", None, (0.20, 0.33, 0.30, 0.17),
            "The machine is not sure enough: the most fitting level has a probability of 0.33, "
            "the rubric asks for 0.35.",
            ("outcome",), ("problem", "specific", "relevance"),
            (cite(call, 14, "a change at noon turns from forty minutes of stripping into a decision", "outcome"),),
            (0, 29),
        ),
        BehaviourScore(
            "next_steps", 2, (0.03, 0.12, 0.60, 0.25), None, ("action", "owner", "when"), ("commitment", "purpose"),
            (
                cite(
                    call, 23,
                    "Tom comes over to Bradford on Thursday the twelfth at nine, he and Marek put one button on line "
                    "four, and we run it for two weeks so that you can count the Fridays.",
                    "action", "owner", "when",
                ),
                cite(call, 26, "Tom, will you send the invitation today, please.", "owner"),
            ),
            (20, 29),
        ),
    )  # fmt: skip


def scorecard_of(call: Call, behaviours: tuple[BehaviourScore, ...], rubric: Rubric) -> Scorecard:
    """A scorecard with measured talk, as assessing makes it."""
    return Scorecard(
        call=call,
        rubric_id=rubric.id,
        rubric_version=rubric.version,
        behaviours=behaviours,
        talk=measure(call),
        joint=manager_part(call, rubric),
        warnings=call.warnings,
        provenance=(
            ("code", "0.1.0"),
            ("rubric", f"{rubric.id} {rubric.version} sha256:{rubric.sha256}"),
            ("models", {"whisper": "large-v3-turbo", "behaviours": "1.0.0"}),
            ("recording_sha256", call.source_sha256),
        ),
    )


def withheld(rubric: Rubric, reason: str) -> tuple[BehaviourScore, ...]:
    quarter = (0.25, 0.25, 0.25, 0.25)
    return tuple(BehaviourScore(one.name, None, quarter, withheld=reason) for one in rubric.behaviours)


def absent(rubric: Rubric, call: Call) -> tuple[BehaviourScore, ...]:
    searched = (0, len(call.turns) - 1) if call.turns else None
    return tuple(
        BehaviourScore(
            one.name, 0, (0.9, 0.1, 0.0, 0.0), missing=tuple(name for name, _ in one.criteria), searched=searched
        )
        for one in rubric.behaviours
    )


@pytest.fixture(scope="session")
def rubric() -> Rubric:
    return core_rubric("joint")


@pytest.fixture(scope="session")
def joint(rubric: Rubric) -> Scorecard:
    call = joint_call()
    return scorecard_of(call, joint_behaviours(call), rubric)


NOTHING_SAID = "The seller side says only 0 words on this recording; at least 30 are needed."


def edge_cases(rubric: Rubric) -> dict[str, Scorecard]:
    """Name -> a scorecard at the edge of what the page must bear."""
    rich = joint_call()
    untimed = joint_call(timed=False)
    empty = replace(rich, turns=(), speech=(), participants=(), duration=None, started_at=None, details=())
    alone = replace(
        rich, turns=(Turn("T", "Hello? Is anybody there? " * 20, 0.5, 60.0),), participants=rich.participants[:1],
        speech=(SpeechSegment("T", 0.5, 60.0),), duration=61.0, call_type="discovery",
    )  # fmt: skip
    long = "w" * 300
    nasty = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>\"'&"
    hostile = replace(
        rich, call_id=nasty, details=(("company", nasty),), started_at=nasty,
        turns=tuple(replace(turn, text=f"{turn.text} {nasty} {long} שלום עולם 😀 \u202eabc") for turn in rich.turns),
        participants=tuple(replace(one, name=nasty + "x" * 120) for one in rich.participants),
        quality=replace(rich.quality, engine=nasty, warnings=(nasty,)),
    )  # fmt: skip
    return {
        "empty": scorecard_of(empty, withheld(rubric, NOTHING_SAID), rubric),
        "no_evidence": scorecard_of(rich, absent(rubric, rich), rubric),
        "withheld": scorecard_of(rich, withheld(rubric, "The words were not heard well enough."), rubric),
        "no_times": scorecard_of(untimed, joint_behaviours(untimed), rubric),
        "one_speaker": scorecard_of(alone, absent(rubric, alone), rubric),
        "eight_speakers": eight_speakers(rubric),
        "hostile": scorecard_of(hostile, joint_behaviours(hostile), rubric),
        "no_behaviours": scorecard_of(rich, (), replace(rubric, behaviours=())),
    }


def eight_speakers(rubric: Rubric) -> Scorecard:
    roles: list[Role] = ["customer", "rep", "unknown", "customer", "manager", "customer", "rep", "customer"]
    people = tuple(Participant(f"S{index}", None, role) for index, role in enumerate(roles))
    turns = tuple(
        Turn(
            f"S{index % 8}",
            f"This is what speaker {index % 8} says in turn {index}, is it not?",
            7.0 * index,
            7.0 * index + 6,
        )
        for index in range(200)
    )
    call = replace(joint_call(), turns=turns, participants=people, speech=(), duration=1400.0, details=())
    return scorecard_of(call, absent(rubric, call), rubric)


def four_hours(rubric: Rubric) -> Scorecard:
    """5,000 turns in four hours, 36,000 words."""
    text = "and then we looked at the numbers again."
    turns = tuple(Turn("TI"[index % 2], f"{index} {text}", 2.88 * index, 2.88 * index + 2.7) for index in range(5000))
    speech = tuple(SpeechSegment(turn.speaker, turn.start or 0, turn.end or 0) for turn in turns)
    call = replace(joint_call(), turns=turns, speech=speech, duration=14_400.0)
    return scorecard_of(call, absent(rubric, call), rubric)


@pytest.fixture(scope="session")
def cases(rubric: Rubric) -> dict[str, Scorecard]:
    return edge_cases(rubric)


# --- the browser ----------------------------------------------------------------------------------

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium: the system's, else Playwright's own. Without either the tests skip, and on CI they fail."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        no_browser(f"Playwright is not installed: {error}")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        try:
            one = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        except Error as error:
            no_browser(f"Chromium does not start: {str(error).splitlines()[0]}")
        yield one
        one.close()


def no_browser(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def write_tone(path: Path, seconds: int = 420, rate: int = 8000) -> None:
    """A quiet tone as a WAV file of 8-bit samples."""
    one_second = bytes(round(128 + 8 * math.sin(2 * math.pi * 220 * i / rate)) for i in range(rate))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(rate)
        out.writeframes(one_second * seconds)
