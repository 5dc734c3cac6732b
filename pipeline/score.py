"""The product without an orchestrator: a recording or transcript in, a scorecard (and its files) out.

Read top to bottom: listen (or import), give everybody a role, assess, write. The command line, the flows and the web
pages all call these functions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

from pipeline.archive.folder import Content, call_folder, write_call
from pipeline.assess.behaviours import Classifier, load_classifier
from pipeline.assess.calibration import Calibration, load_calibration
from pipeline.assess.floor import speech_of
from pipeline.assess.judges import load_judge
from pipeline.assess.llm_judge import LlmJudge
from pipeline.assess.rubric import Rubric, calibrated, load_rubric, rubric_for
from pipeline.assess.scorecard import assess, to_json
from pipeline.assess.sides import seller_probability
from pipeline.errors import CallError, JudgeServerError, ListeningError
from pipeline.listen.captions import UNKNOWN, read_transcript, write_vtt
from pipeline.listen.clips import write_playback
from pipeline.listen.manifest import CallRow, default_row
from pipeline.listen.manifest_cells import MOST_SPEAKERS
from pipeline.listen.media import Audio, decode
from pipeline.listen.recording import Progress, hear, no_progress
from pipeline.listen.roles import assign_roles
from pipeline.listen.rttm import write_rttm
from pipeline.listen.rttm_diarizer import RttmDiarizer
from pipeline.listen.tracks import Expected
from pipeline.listen.transcribe import Transcriber, choose_engine
from pipeline.listen.vocabulary import terms_for
from pipeline.records import MEETINGS, Call, ListeningQuality, Scorecard, Turn
from pipeline.report.scorecard_page import scorecard_page
from pipeline.settings import ListenSettings, keep_private

AUDIO = "audio.mp3"
"""The sound beside the page, for its player."""

_JOINT = 3  # a rep, a manager and a customer
_assessing = threading.Lock()
"""One call at a time is judged: the classifier uses all cores by itself."""
_loading = threading.Lock()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one call: its scorecard, or the reason why there is none."""

    row: CallRow
    scorecard: Scorecard | None = None
    error: str | None = None


def score_call(
    source: str | Path | CallRow,
    *,
    out: str | Path | None = None,
    rubric: str | Path | Rubric | None = None,
    settings: ListenSettings | None = None,
    transcriber: Transcriber | None = None,
    classifier: str | Path | Classifier | None = None,
    calibration: str | Path | Calibration | None = None,
    progress: Progress | None = None,
) -> Scorecard:
    """The scorecard of one call; with `out`, its files are written to OUT/calls/CALL_ID as well.

    `source` is a recording, a transcript or a manifest row. `rubric` is a name, a file or a Rubric; None takes the
    shipped one for the call's type. A `transcriber` or `classifier` of one's own takes the place of the default; the
    latter may be a judge's configuration file (docs/judges.md). A `calibration` puts its thresholds in place of the
    rubric's (docs/calibration.md).
    Raises CallError where this call cannot be scored, UsageError where the request itself is wrong.
    """
    keep_private()
    settings = settings or ListenSettings()
    tell = progress or no_progress
    row = source if isinstance(source, CallRow) else default_row(Path(source))
    judged_by = _rubric(rubric, row, prepare_calibration(calibration, [row], rubric, classifier))
    call, audio = _listen(row, settings, transcriber, tell)
    tell("assess", 0, 1)
    scorecard = _judged(call, judged_by, classifier, row, out)
    if out is not None:
        tell("write", 0, 1)
        write_call(Path(out), row.call_id, files_of(scorecard, judged_by, audio))
    return scorecard


def score_calls(
    rows: Iterable[CallRow],
    *,
    out: str | Path,
    rubric: str | Path | Rubric | None = None,
    settings: ListenSettings | None = None,
    classifier: str | Path | Classifier | None = None,
    calibration: str | Path | Calibration | None = None,
    progress: Progress | None = None,
    finished: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """One outcome a row, in order: a call that cannot be scored is recorded with its reason and the rest go on.

    `progress` and `finished` may be called from other threads. Raises UsageError where the request itself is wrong.
    """
    settings = settings or ListenSettings()
    rows = list(rows)
    judge = prepare_judge(classifier)
    used = prepare_calibration(calibration, rows, rubric, judge)

    def outcome_of(row: CallRow) -> Outcome:
        try:
            card = score_call(
                row,
                out=out,
                rubric=rubric,
                settings=settings,
                classifier=judge,
                calibration=used,
                progress=progress,
            )
            outcome = Outcome(row, card)
        except CallError as error:
            outcome = Outcome(row, error=str(error))
        if finished:
            finished(outcome)
        return outcome

    with ThreadPoolExecutor(_calls_at_once(rows, settings)) as pool:
        running = [pool.submit(outcome_of, row) for row in rows]
        try:
            return [one.result() for one in running]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _calls_at_once(rows: Sequence[CallRow], settings: ListenSettings) -> int:
    """Three with the embedded engine, whose processes would wait while a call is decoded, assessed and written."""
    is_heard = any(row.recording and not row.transcript for row in rows)
    return 3 if is_heard and engine_for(settings)[0].name == "sphinx" else 1


def files_of(scorecard: Scorecard, rubric: Rubric, audio: Audio | None = None) -> dict[str, Content]:
    """File name -> content of what is kept of a call: scorecard, page, transcript, speakers and sound."""
    call = scorecard.call
    files: dict[str, Content] = {
        "scorecard.json": to_json(scorecard),
        "scorecard.html": scorecard_page(scorecard, rubric, audio=None if audio is None else AUDIO),
        **_heard_files(call),
    }
    if audio is not None:
        files[AUDIO] = partial(write_playback, audio)
    return files


def _heard_files(call: Call) -> dict[str, Content]:
    return {"transcript.vtt": write_vtt(call), "speakers.rttm": write_rttm(speech_of(call), call.call_id)}


def prepare_rubric(rubric: str | Path | None) -> Rubric | None:
    """The rubric asked for, checked before any call is listened to; None where each call's type decides."""
    return None if rubric is None else load_rubric(rubric)


def prepare_judge(judge: str | Path | Classifier | None) -> Classifier | None:
    """The classifier that a judge's file names, checked before any call is listened to; None means the shipped one."""
    return load_judge(judge) if isinstance(judge, str | Path) else judge


def prepare_calibration(
    calibration: str | Path | Calibration | None,
    rows: Sequence[CallRow],
    rubric: str | Path | Rubric | None = None,
    classifier: str | Path | Classifier | None = None,
) -> Calibration | None:
    """The calibration of a file, checked against the rubric of every row and the classifier; None without one."""
    if calibration is None:
        return None
    used = calibration if isinstance(calibration, Calibration) else load_calibration(calibration)
    for row in rows:
        _rubric(rubric, row, used)
    used.check_classifier((prepare_judge(classifier) or load_classifier()).version)
    return used


def engine_for(settings: ListenSettings) -> tuple[Transcriber, str | None]:
    """The engine that listens, loaded once, and a sentence where it is not the one hoped for."""
    with _loading:
        return _engine(settings)


@lru_cache(maxsize=1)
def _engine(settings: ListenSettings) -> tuple[Transcriber, str | None]:
    return choose_engine(settings)


# --- the stages -----------------------------------------------------------------------------------


def _rubric(rubric: str | Path | Rubric | None, row: CallRow, calibration: Calibration | None) -> Rubric:
    if not isinstance(rubric, Rubric):
        rubric = rubric_for(row.call_type) if rubric is None else load_rubric(rubric)
    return rubric if calibration is None else calibrated(rubric, calibration)


def _judged(
    call: Call, rubric: Rubric, classifier: str | Path | Classifier | None, row: CallRow, out: str | Path | None
) -> Scorecard:
    """The call's scorecard. Where a judge's server fails, what was heard is kept, so that nobody must listen again."""
    judge = prepare_judge(classifier)
    try:
        with nullcontext() if isinstance(judge, LlmJudge) else _assessing:  # a server's answer is waited for, not made
            return assess(call, rubric, judge or load_classifier())
    except JudgeServerError as error:
        if out is None or row.transcript is not None or call_folder(Path(out), row.call_id).exists():
            raise
        kept = write_call(Path(out), row.call_id, _heard_files(call)) / "transcript.vtt"
        raise JudgeServerError(
            f"{error} What was heard is kept: name {kept} as the call's transcript, and nobody listens again."
        ) from error


def _listen(
    row: CallRow, settings: ListenSettings, transcriber: Transcriber | None, tell: Progress
) -> tuple[Call, Audio | None]:
    """The call, and its sound where there is a recording."""
    audio = None
    if row.recording is not None:
        tell("decode", 0, 1)
        audio = decode(row.recording, settings.limits)
    if row.transcript is not None:
        return _imported(row, row.transcript, audio), audio
    if audio is None:
        raise ListeningError(f"{row.call_id}: the manifest row has neither a recording nor a transcript; give one.")
    return _heard(row, audio, settings, transcriber, tell), audio


def _known(row: CallRow) -> Call:
    """The call as far as its row tells, before anybody has listened."""
    quality = ListeningQuality(engine="none")
    return Call(row.call_id, row.call_type, (), (), None, quality, started_at=row.started_at, details=row.details)


def _imported(row: CallRow, transcript: Path, audio: Audio | None) -> Call:
    """A call whose words come from a transcript file; each cue stays one turn."""
    imported = read_transcript(transcript)
    quality = ListeningQuality(
        engine=f"imported transcript ({imported.format})",
        models=(("transcript", f"sha256:{imported.sha256}"),),
        diarization="transcript",
        speech_attributed=_attributed(imported.turns),
        language=row.language,
        warnings=imported.warnings,
    )
    call = replace(
        _known(row),
        turns=imported.turns,
        duration=imported.duration if audio is None else audio.duration,
        quality=quality,
        source=transcript.name if audio is None else audio.path.name,
        source_sha256=imported.sha256 if audio is None else audio.sha256,
    )
    return _with_roles(call, imported.speakers, row)


def _heard(
    row: CallRow, audio: Audio, settings: ListenSettings, transcriber: Transcriber | None, tell: Progress
) -> Call:
    """A call that an engine listened to."""
    engine, note = (transcriber, None) if transcriber else engine_for(settings)
    heard = hear(
        audio.path,
        audio=audio,
        transcriber=engine,
        settings=settings,
        expected=expected_of(row, settings),
        diarizer=None if row.rttm is None else RttmDiarizer(row.rttm),
        progress=tell,
    )
    warnings = heard.quality.warnings if note is None else (note, *heard.quality.warnings)
    call = replace(
        _known(row),
        turns=heard.turns,
        speech=heard.speech,
        duration=heard.duration,
        quality=replace(heard.quality, warnings=warnings),
        source=audio.path.name,
        source_sha256=audio.sha256,
    )
    return _with_roles(call, heard.speakers, row)


def _with_roles(call: Call, speakers: Sequence[str], row: CallRow) -> Call:
    """The call with its participants, and with what had to be assumed about it among the warnings."""
    with _assessing:
        roles = assign_roles(speakers, call.turns, row, infer=seller_probability)
    warnings = (*row.defaults, *call.quality.warnings, *roles.warnings)
    return replace(call, participants=roles.participants, quality=replace(call.quality, warnings=warnings))


def expected_of(row: CallRow, settings: ListenSettings) -> Expected:
    """What the row and the settings tell before anybody listens."""
    return Expected(
        channels=tuple(len(roles) for roles in row.channels),
        speakers=_people(row) or settings.speakers,
        terms=terms_for(_names(row), row.products, settings.vocabulary),
        language=row.language or settings.language,
        together=row.rttm is not None,
    )


def _names(row: CallRow) -> tuple[str, ...]:
    return tuple(name for name in (row.rep, row.manager, *row.customers) if name)


def _people(row: CallRow) -> tuple[int, int] | None:
    """The least and the most people on the call: as the manifest says, else those that it names where it names both
    sides, else what the type of call tells; None where nothing does."""
    if row.speakers is not None:
        return row.speakers
    sellers = sum(name is not None for name in (row.rep, row.manager))
    is_meeting = row.call_type in MEETINGS
    if (sellers and row.customers) or (is_meeting and sellers == 2):
        count = sellers + len(row.customers)
        return count, count
    return (_JOINT, MOST_SPEAKERS) if row.call_type == "joint" else None


def _attributed(turns: Sequence[Turn]) -> float | None:
    """Share of words whose speaker the transcript names."""
    words = [(len(turn.text.split()), turn.speaker != UNKNOWN) for turn in turns]
    total = sum(count for count, _ in words)
    return sum(count for count, named in words if named) / total if total else None
