"""Made-up recordings and a judge for them, to try out a set-up or to measure everything but the models.

A fake recording is a small JSON object in a file with the name of any recording. The engine `fake` makes a call of it
in no time, and nothing that is in such a call was ever said. A fake may also fail, hang or take its process down, as
the worst of real recordings do.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from pipeline.assess.floor import can_have, performs
from pipeline.errors import ListeningError, MediaError
from pipeline.listen.call_rows import CallRow
from pipeline.listen.media import Samples
from pipeline.listen.speech import Stretch
from pipeline.listen.transcribe import Transcript
from pipeline.records import (
    CRITERIA,
    JUDGED,
    Agreement,
    Call,
    Evidence,
    Finding,
    ListeningQuality,
    Participant,
    SpeechSegment,
    Turn,
    Word,
)

__all__ = ["ENGINE", "Fake", "FakeClassifier", "FakeEngine", "fake_bytes", "fake_call", "no_side", "write_fake"]

ENGINE = "fake"
"""The engine's name, in settings and in a call's quality."""
Crash = Literal["exit", "segv", "abort", "kill"]
CRASHES: tuple[Crash, ...] = ("exit", "segv", "abort", "kill")
NOT_SAID = "This call was made up by the fake engine: nothing of it was ever said, and its levels mean nothing."
MAX_BYTES = 1_000_000
MOST_SECONDS = 6 * 3600.0

_WORD = 0.35  # seconds that a word takes, with the pause after it: about 170 words a minute
_TURN = 10.0  # seconds of a turn
_SURE = 0.9  # the probability of every word
_SAID = (
    "Thanks for making the time today.",
    "I would like to hear how the team works now and what slows it down.",
    "We count the stock by hand every Friday, and it takes two people most of the day.",
    "What happens when the numbers do not match?",
    "Then somebody drives to the warehouse, and the order waits until Monday.",
    "A firm of your size had the same trouble and saved about a day a week.",
    "That sounds like us, although our warehouse is smaller.",
    "How would you know after three months that it was worth the money?",
    "If the Friday count is gone, everybody here will be happy.",
    "I will send the plan by Thursday, and we can go through it together.",
    "Please send it to both of us.",
    "Which part of it should we look at first?",
)


@dataclass(frozen=True, slots=True)
class Fake:
    """What a fake recording holds.

    `seconds` is its length and `seed` what decides its words. `work` are seconds that listening to it takes, asleep.
    `memory` are bytes that it takes meanwhile. Then it may `crash` its process (by exit status 3, or by a signal),
    `hang` for ever, or `fail` with that reason. `turns` are (speaker, text) in place of made-up ones. `log` is a file
    to which each listening first adds a line with the call's id, so that listenings can be counted.
    """

    seconds: float = 60.0
    seed: int = 0
    work: float = 0.0
    memory: int = 0
    fail: str | None = None
    crash: Crash | None = None
    hang: bool = False
    turns: tuple[tuple[str, str], ...] = ()
    log: str | None = None


def fake_bytes(**values: Any) -> bytes:
    """The bytes of a fake recording with these values of `Fake`, the same for the same values."""
    return json.dumps({"seconds": 60, **values}, ensure_ascii=False, sort_keys=True).encode("utf-8") + b"\n"


def write_fake(path: Path, **values: Any) -> Path:
    """Write a fake recording with these values of `Fake` to `path`, whose suffix may be any recording's."""
    path.write_bytes(fake_bytes(**values))
    return path


def read_fake(data: bytes, name: str) -> Fake:
    """The fake recording in these bytes. Raises MediaError, naming `name`, for anything else."""
    try:
        values = json.loads(data)
        if not isinstance(values, dict) or "seconds" not in values:
            raise ValueError("there is no JSON object with 'seconds'")
        turns = tuple((str(speaker), str(text)) for speaker, text in values.pop("turns", None) or ())
        fake = Fake(**values, turns=turns)
        if not 0 < float(fake.seconds) <= MOST_SECONDS:
            raise ValueError(f"seconds is {fake.seconds!r}; allowed are 0 to {MOST_SECONDS:.0f}")
        if min(float(fake.work), int(fake.memory)) < 0:
            raise ValueError("work and memory are below 0")
        if fake.crash not in (None, *CRASHES):
            raise ValueError(f"crash is {fake.crash!r}; allowed are {', '.join(CRASHES)}")
    except (ValueError, TypeError, RecursionError) as error:
        known = ", ".join(one.name for one in fields(Fake))
        raise MediaError(
            f"{name}: is no fake recording ({error}), and the fake engine hears nothing else. Choose another engine, "
            f"or make a JSON object with any of {known} (pipeline.fakes.write_fake)."
        ) from error
    return fake


def fake_call(row: CallRow, path: Path) -> Call:
    """The call that a fake recording stands for, its speakers still without roles; the same file gives the same call.

    Raises MediaError for a file that is no fake recording, ListeningError where the fake is made to fail.
    """
    data = _read(path)
    fake = read_fake(data, str(path))
    if fake.log is not None:
        _note(Path(fake.log), row.call_id)
    _behave(fake, path)
    turns = tuple(_turns(fake))
    speakers = tuple(dict.fromkeys(turn.speaker for turn in turns))
    return Call(
        call_id=row.call_id,
        call_type=row.call_type,
        turns=turns,
        participants=tuple(Participant(speaker, None, "unknown", "unknown") for speaker in speakers),
        duration=float(fake.seconds),
        quality=ListeningQuality(
            engine=ENGINE,
            models=FakeEngine.models,
            diarization=ENGINE,
            word_confidence=_SURE,
            speech_attributed=1.0,
            language="en",
            warnings=FakeEngine.warnings,
        ),
        source=path.name,
        source_sha256=hashlib.sha256(data).hexdigest(),
        speech=tuple(SpeechSegment(turn.speaker, turn.start or 0.0, turn.end or 0.0) for turn in turns),
    )


class FakeEngine:
    """The engine `fake` as a Transcriber: it stands where an engine is asked for, and hears nothing in real sound."""

    name = ENGINE
    models: tuple[tuple[str, str], ...] = (("fake engine", "1"),)
    warnings: tuple[str, ...] = (NOT_SAID,)

    def __call__(
        self,
        samples: Samples,
        *,
        hotwords: tuple[str, ...] = (),
        stretches: Sequence[Stretch] | None = None,
        language: str | None = None,
    ) -> Transcript:
        """Raises ListeningError: there are no words in sound for it."""
        raise ListeningError("The fake engine reads made-up recordings only. Choose another engine for this one.")


def no_side(turns_by_speaker: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """What the made-up words tell of who sells: nothing, 0.5 for everybody."""
    return dict.fromkeys(turns_by_speaker, 0.5)


# --- what a fake does ---------------------------------------------------------------------------------


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise MediaError(
                f"{path}: is {path.stat().st_size:,} bytes, and a fake recording has at most {MAX_BYTES:,}. Choose "
                "another engine than fake."
            )
        return path.read_bytes()
    except OSError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror}). Check the path and its permissions.") from error


def _note(log: Path, call_id: str) -> None:
    """Add a line in one step, whoever else adds one at the same time."""
    try:
        with log.open("ab", buffering=0) as file:
            file.write(call_id.encode("utf-8") + b"\n")
    except OSError as error:
        raise MediaError(f"{log}: the fake's log cannot be written ({error.strerror}). Name another file.") from error


def _behave(fake: Fake, path: Path) -> None:
    """Take the time and memory that the fake asks for, then crash, hang or fail as it says."""
    held = bytearray(fake.memory)
    held[::4096] = bytes(len(held[::4096]))  # a page is taken when it is written to
    time.sleep(fake.work)
    if fake.crash is not None:
        _crash(fake.crash)
    while fake.hang:
        time.sleep(3600)
    if fake.fail is not None:
        raise ListeningError(f"{path}: {fake.fail}")


def _crash(way: Crash) -> None:
    """End this process at once. Windows has no such signals: there every way is an exit."""
    number = {"segv": signal.SIGSEGV, "abort": signal.SIGABRT}.get(way)
    if way == "kill":
        number = getattr(signal, "SIGKILL", None)
    if number is not None and os.name == "posix":
        os.kill(os.getpid(), number)
        time.sleep(1)
    os._exit(3)


def _turns(fake: Fake) -> Iterator[Turn]:
    """The turns with the times of their words, one after the other, up to the fake's length."""
    at = 0.0
    for speaker, text in fake.turns or _made_up(fake):
        words = text.split()[: max(0, int((fake.seconds - at) / _WORD))]
        if not words:
            return
        times = [round(at + number * _WORD, 3) for number in range(len(words) + 1)]
        heard = tuple(Word(word, a, b, _SURE) for word, (a, b) in zip(words, pairwise(times), strict=True))
        yield Turn(speaker, " ".join(words), times[0], times[-1], heard)
        at = times[-1] + 0.4


def _made_up(fake: Fake) -> Iterable[tuple[str, str]]:
    """Rep and customer by turns, each with some seconds of sentences that the seed picks."""
    chance = random.Random(f"ridealong {fake.seed}")  # noqa: S311 - no secret: the same words for the same seed
    for number in range(1 + int(fake.seconds / _TURN)):
        said: list[str] = []
        while sum(len(one.split()) for one in said) * _WORD < _TURN - 2:
            said.append(_SAID[int(chance.random() * len(_SAID))])
        yield ("Customer" if number % 2 else "Rep"), " ".join(said)


# --- judging ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FakeClassifier:
    """A Classifier whose levels are drawn from the hash of what is said: the same for the same call, and meaningless.
    Evidence quotes a turn of the judged side."""

    version: str = "fake 1"
    agreement: tuple[Agreement, ...] = ()

    def __call__(self, call: Call) -> tuple[Finding, ...]:
        """One finding per behaviour, in the order of JUDGED."""
        said = hashlib.sha256("\n".join(turn.text for turn in call.turns).encode("utf-8", "replace")).digest()
        own = [number for number, turn in enumerate(call.turns) if performs(call, turn) and turn.text.strip()]
        return tuple(
            self._finding(call, behaviour, hashlib.sha256(said + behaviour.encode()).digest(), own)
            for behaviour in JUDGED
        )

    def _finding(self, call: Call, behaviour: str, drawn: bytes, own: Sequence[int]) -> Finding:
        searched = (0, len(call.turns) - 1) if call.turns else None
        level = drawn[0] % 4
        if not own or not can_have(call, behaviour) or level == 0:
            return Finding(behaviour, (1.0, 0.0, 0.0, 0.0), searched=searched)
        number = own[drawn[1] % len(own)]
        turn = call.turns[number]
        criteria = CRITERIA[behaviour][: level + 1]
        quote = Evidence(number, turn.start, turn.end, turn.speaker, call.role(turn), turn.text, criteria)
        return Finding(behaviour, _leaning(level, drawn[2]), criteria, (quote,), searched)


def _leaning(level: int, chance: int) -> tuple[float, float, float, float]:
    """Four probabilities that add to one, with the median at the level."""
    beside = (10 + chance % 10) / 100
    units = [0.0, 0.0, 0.0, 0.0]
    units[level - 1] = beside
    units[level] = round(1 - beside, 2)
    return units[0], units[1], units[2], units[3]
