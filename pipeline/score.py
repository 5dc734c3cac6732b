"""The product without an orchestrator: a recording or transcript in, a scorecard (and its files) out.

Read top to bottom: listen (or import), give everybody a role, judge, level, write. Each stage is a function of its own
below, for those who keep what one gave and do only the next anew (`pipeline.batch`). The command line, the flows and
the web pages all call these functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.archive.folder import Content, call_folder, write_call
from pipeline.archive.kept import CALL, FINDINGS, call_json, findings_json
from pipeline.assess.behaviours import Classifier, load_classifier
from pipeline.assess.calibration import Calibration, load_calibration
from pipeline.assess.floor import speech_of
from pipeline.assess.judges import judge_identity, load_judge
from pipeline.assess.llm_judge import LlmJudge
from pipeline.assess.rubric import Rubric, calibrated, load_rubric, rubric_for
from pipeline.assess.scorecard import JudgedBy, check_judge, scored, to_json
from pipeline.errors import CallError, JudgeServerError
from pipeline.fakes import FakeClassifier
from pipeline.listen.captions import write_vtt
from pipeline.listen.clips import write_playback
from pipeline.listen.manifest import CallRow, default_row
from pipeline.listen.media import Audio
from pipeline.listen.recording import Progress, no_progress
from pipeline.listen.rttm import write_rttm
from pipeline.listen.transcribe import Transcriber
from pipeline.listening import computing, engine_for, listen
from pipeline.records import Call, CallType, Finding, Scorecard
from pipeline.report.scorecard_page import scorecard_page
from pipeline.settings import ListenSettings, keep_private

AUDIO = "audio.mp3"
"""The sound beside the page, for its player."""


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
    used = rubric_of(row.call_type, rubric, prepare_calibration(calibration, [row], rubric, classifier))
    call, audio = listen(row, settings, transcriber, tell)
    tell("assess", 0, 1)
    judge = judge_for(settings, classifier)
    check_judge(used, judge)
    findings = _judged(call, judge, row, out)
    scorecard = scored(call, findings, used, judge)
    if out is not None:
        tell("write", 0, 1)
        write_call(Path(out), row.call_id, files_of(scorecard, findings, used, audio))
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


def judge_for(settings: ListenSettings, judge: str | Path | Classifier | None = None) -> Classifier:
    """The classifier that judges: the one given, or that of a judge's file; else the shipped one, and for made-up
    recordings the fake one. Raises UsageError where it cannot be had."""
    if judge is None and settings.engine == "fake":
        return FakeClassifier()
    return prepare_judge(judge) or load_classifier()


def judged_by(settings: ListenSettings, judge: str | Path | None = None) -> JudgedBy:
    """What scorecards say of the classifier that `judge_for` gives; its network is not loaded for it."""
    if judge is None and settings.engine == "fake":
        return JudgedBy(FakeClassifier().version)
    return judge_identity(judge)


def judged(call: Call, classifier: Classifier) -> tuple[Finding, ...]:
    """What the classifier finds in the call. Raises JudgeServerError where it is a server that does not answer."""
    with nullcontext() if isinstance(classifier, LlmJudge) else computing:  # a server's answer is waited for, not made
        return classifier(call)


def files_of(
    scorecard: Scorecard, findings: Sequence[Finding], rubric: Rubric, audio: Audio | None = None
) -> dict[str, Content]:
    """File name -> content of what is kept of a call: what was heard and found, page, sound and, last, scorecard."""
    files = heard_files(scorecard.call, audio)
    return {**files, FINDINGS: findings_json(findings), **level_files(scorecard, rubric, has_sound=audio is not None)}


def heard_files(call: Call, audio: Audio | None = None) -> dict[str, Content]:
    """File name -> content of what listening alone gives: the call to read on with, transcript, speakers and sound."""
    files: dict[str, Content] = {
        CALL: call_json(call),
        "transcript.vtt": write_vtt(call),
        "speakers.rttm": write_rttm(speech_of(call), call.call_id),
    }
    if audio is not None:
        files[AUDIO] = partial(write_playback, audio)
    return files


def level_files(scorecard: Scorecard, rubric: Rubric, *, has_sound: bool) -> dict[str, Content]:
    """File name -> content of what a rubric decides: page and scorecard. `has_sound` is whether sound is beside it."""
    return {
        "scorecard.html": scorecard_page(scorecard, rubric, audio=AUDIO if has_sound else None),
        "scorecard.json": to_json(scorecard),
    }


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
        rubric_of(row.call_type, rubric, used)
    used.check_classifier((prepare_judge(classifier) or load_classifier()).version)
    return used


def rubric_of(call_type: CallType, rubric: str | Path | Rubric | None, calibration: Calibration | None) -> Rubric:
    """The rubric for a call of this type: the one asked for or the shipped one, with the calibration's thresholds."""
    if not isinstance(rubric, Rubric):
        rubric = rubric_for(call_type) if rubric is None else load_rubric(rubric)
    return rubric if calibration is None else calibrated(rubric, calibration)


def _judged(call: Call, classifier: Classifier, row: CallRow, out: str | Path | None) -> tuple[Finding, ...]:
    """What is found in the call. Where a judge's server fails, what was heard is kept, so that nobody listens again."""
    try:
        return judged(call, classifier)
    except JudgeServerError as error:
        if out is None or row.transcript is not None or call_folder(Path(out), row.call_id).exists():
            raise
        kept = write_call(Path(out), row.call_id, heard_files(call)) / "transcript.vtt"
        raise JudgeServerError(
            f"{error} What was heard is kept: name {kept} as the call's transcript, and nobody listens again."
        ) from error
