"""The product without an orchestrator: a recording or transcript in, a scorecard (and its files) out.

Read top to bottom: listen (or import), give everybody a role, assess, write. The command line, the flows and the web
pages all call these functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.archive.folder import Content, call_folder, write_call
from pipeline.assess.behaviours import Classifier, load_classifier
from pipeline.assess.calibration import Calibration, load_calibration
from pipeline.assess.floor import speech_of
from pipeline.assess.judges import load_judge
from pipeline.assess.llm_judge import LlmJudge
from pipeline.assess.rubric import Rubric, calibrated, load_rubric, rubric_for
from pipeline.assess.scorecard import assess, to_json
from pipeline.errors import CallError, JudgeServerError
from pipeline.listen.captions import write_vtt
from pipeline.listen.clips import write_playback
from pipeline.listen.manifest import CallRow, default_row
from pipeline.listen.media import Audio
from pipeline.listen.recording import Progress, no_progress
from pipeline.listen.rttm import write_rttm
from pipeline.listen.transcribe import Transcriber
from pipeline.listening import computing, engine_for, listen
from pipeline.records import Call, Scorecard
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
    judged_by = _rubric(rubric, row, prepare_calibration(calibration, [row], rubric, classifier))
    call, audio = listen(row, settings, transcriber, tell)
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
        with nullcontext() if isinstance(judge, LlmJudge) else computing:  # a server's answer is waited for, not made
            return assess(call, rubric, judge or load_classifier())
    except JudgeServerError as error:
        if out is None or row.transcript is not None or call_folder(Path(out), row.call_id).exists():
            raise
        kept = write_call(Path(out), row.call_id, _heard_files(call)) / "transcript.vtt"
        raise JudgeServerError(
            f"{error} What was heard is kept: name {kept} as the call's transcript, and nobody listens again."
        ) from error
