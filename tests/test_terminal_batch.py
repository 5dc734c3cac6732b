"""What the batch commands show: figures, the live view, plan, summary, status, failures and forgetting."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from pipeline.archive.ledger import Pace as Done
from pipeline.archive.ledger import Run
from pipeline.archive.recordings import Recording, Versions
from pipeline.batch.plan import Plan
from pipeline.batch.run import Progress, Summary
from pipeline.forget import Forgettable, Forgotten
from pipeline.terminal_figures import ago, audio, lasting, plain, share, speed
from pipeline.terminal_forget import forgettable_table, forgotten_view
from pipeline.terminal_live import Followed, Pace, live_view, plain_line
from pipeline.terminal_plan import batch_json, plan_view, summary_view
from pipeline.terminal_status import Status, failures_csv, failures_table, status_json, status_view

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


def printed(view, width=80):
    console = Console(width=width, file=io.StringIO())
    console.print(view)
    return console.file.getvalue()


def recording(number, state, error="it is empty", key=None):
    return Recording(
        id=number,
        key=key or f"2026/call-{number}.mp3",
        call_id=f"call-{number}",
        etag="e",
        size=1,
        state=state,
        need="listen",
        why="new",
        row={},
        wanted=Versions(),
        attempts=number,
        error=error,
        finished_at=f"2026-01-31T11:59:0{number}.000Z",
    )


# --- figures ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (119.4, "119 s"),
        (120, "2 min"),
        (3569, "59 min"),
        (3570, "1 h"),
        (12_000, "3 h 20 min"),
        (86_399, "24 h"),
        (86_400, "1 day"),
        (190_000, "2 days 5 h"),
    ],
)
def test_figures_a_time_in_its_two_largest_units(seconds, said):
    assert lasting(seconds) == said


def test_figures_a_rate_is_said_in_the_unit_in_which_it_is_at_least_one():
    assert speed(120, 3) == "40.0 calls a second"
    assert speed(12, 60) == "12.0 calls a minute"
    assert speed(3, 600) == "18.0 calls an hour"
    assert speed(1, 7200) == "12.0 calls a day"
    assert speed(0, 10) is None and speed(1, 0) is None


def test_figures_a_share_is_never_rounded_up_to_the_whole():
    assert share(9_999, 10_000) == "99 %"
    assert share(10_000, 10_000) == "100 %"
    assert share(0, 0) == "100 %"


def test_figures_audio_in_hours():
    assert audio(90) == "2 min of audio"
    assert audio(5_400) == "1.5 hours of audio"
    assert audio(3_600 * 2_480) == "2,480 hours of audio"


def test_figures_a_hostile_key_is_shown_as_text_alone():
    key = "../a\x1b[31m\0\n\u202e\ud800 é👩\u200d🚀"
    shown = plain(key)
    assert shown == "../a\\x1b[31m\\x00\\n\\u202e\\ud800 é👩\u200d🚀"
    shown.encode("utf-8")


def test_figures_times_of_the_ledger_are_utc():
    assert ago("2026-01-31T11:59:00.000Z", NOW) == 60
    assert ago("2026-01-31T11:59:00", NOW) == 60
    assert ago("2026-01-31T12:59:00.000Z", NOW) == 0
    assert ago(None, NOW) == 0


# --- a running batch ----------------------------------------------------------------------------------


def test_live_speed_is_that_of_the_last_minute():
    pace = Pace()
    for second in range(0, 601, 10):
        pace.add(second, min(second, 300), 60.0 * min(second, 300))  # a call a second, none in the last five minutes
    assert pace.measured(600) is None
    pace.add(610, 310, 60.0 * 310)
    seconds, calls, heard = pace.measured(610)
    assert (calls, heard) == (10, 600)
    assert 60 <= seconds <= 70
    assert pace.left(610, 10) == seconds


def test_live_view_says_what_people_ask_for():
    pace = Pace()
    pace.add(30, 1_200, 72_000)
    progress = Progress(10_000, 1_180, 5, 12, 3, 2, 72_000, 30.0)
    said = printed(live_view(progress, pace, 30, 2, ("a.mp3: it is [red]empty",)))
    assert "1,200 of 10,000 calls, 12 %" in said
    assert "about 4 min left · 30 s passed · 2 workers" in said
    assert "40.0 calls a second · 2,400 hours of audio an hour" in said
    assert "12 failed so far · 3 put in quarantine · 2 put off (storage)" in said
    assert "a.mp3: it is [red]empty" in said


@pytest.mark.parametrize("width", [80, 120])
def test_live_view_never_wraps(width):
    pace = Pace()
    pace.add(86_400 * 3, 900_000, 900_000 * 3_600.0)
    progress = Progress(1_000_000, 900_000, 0, 12_345, 1_234, 4_321, 9e9, 86_400 * 3)
    said = printed(live_view(progress, pace, 86_400 * 3, 64, ("long " * 100,) * 3), width)
    assert len(said.splitlines()) == 7
    assert "…" in said


def test_live_view_before_anything_is_measured():
    said = printed(live_view(Progress(3), Pace(), 4, 1, ()))
    assert "0 of 3 calls, 0 %" in said
    assert "time left not known yet · 4 s passed · 1 worker" in said


def test_live_plain_line_holds_the_same():
    pace = Pace()
    pace.add(30, 1_200, 0.0)
    line = plain_line(Progress(2_400, 1_200, failed=0, elapsed=30.0), pace, 30, 2, ("b: bad",))
    assert (
        line == "1,200 of 2,400 calls · about 30 s left · 30 s passed · 2 workers · 40.0 calls a second; last: b: bad"
    )


def test_live_without_a_terminal_a_line_comes_now_and_then():
    clock = iter(range(0, 1_000)).__next__
    told = Console(file=io.StringIO(), width=80)
    with Followed(told, 2, clock=lambda: float(clock())) as followed:
        for done in range(90):
            followed(Progress(100, done, elapsed=float(done), last_failure="c: bad\nvery"))
    lines = told.file.getvalue().splitlines()
    assert 2 <= len(lines) <= 8
    assert all("of 100 calls" in line and line.endswith("last: c: bad very") for line in lines)


def test_live_on_a_terminal_the_view_goes_away_at_the_end():
    told = Console(file=io.StringIO(), width=80, force_terminal=True)
    stopping = False
    with Followed(told, 2, stopping=lambda: stopping) as followed:
        followed(Progress(100, 10, failed=1, elapsed=1.0, last_failure="c: bad"))
        followed(Progress(100, 20, failed=2, elapsed=2.0, last_failure="d: bad"))
        shown = printed(followed)
        assert "Stopping" not in shown
        stopping = True
        assert "Stopping: what is being worked on is given back." in printed(followed)
    assert "22 of 100 calls" in shown
    assert "c: bad" in shown and "d: bad" in shown
    assert told.file.getvalue().endswith("\x1b[?25h") or "\x1b[2K" in told.file.getvalue()


# --- plan and summary ---------------------------------------------------------------------------------

PLAN = Plan(
    source="s3://calls/2026",
    objects=10_029,
    needs=(("listen", "new", 620), ("listen", "failed before", 50), ("assess", "judge changed", 300)),
    unchanged=900,
    in_progress=4,
    quarantined=3,
    forgotten=2,
    gone=1,
    missing=2,
    skipped=(("not in the manifest", 8), ("hidden", 4)),
    guessed_audio=3_600 * 300.0,
    work_seconds=3_600 * 9.5,
    engine="whisper",
    judge="behaviours 3",
    rubrics=("discovery 1.4", "joint 1.2"),
    notes=("the column 'regoin' is not [known]",),
)


def test_plan_says_what_why_and_how_long():
    said = " ".join(printed(plan_view(PLAN, 2)).split())
    assert "Plan for s3://calls/2026: 970 of 10,029 recordings to do" in said
    assert "to listen to 670 620 new · 50 failed before" in said
    assert "to judge again 300 judge changed" in said
    assert "to level" not in said
    assert "nothing to do 900" in said and "in quarantine 3" in said and "being scored 4" in said
    assert "forgotten 2 erased" in said and "gone 1 cannot be listened to again" in said
    assert "passed over 12 8 not in the manifest · 4 hidden" in said
    assert "300 hours of audio to listen to, guessed from the size of the files." in said
    assert "About 4 h 45 min with 2 workers, by the speed measured so far." in said
    assert "2 calls will fail: in the manifest, but not in the bucket." in said
    assert "Rubric: discovery 1.4, joint 1.2." in said
    assert "the column 'regoin' is not [known]" in said


def test_plan_promises_no_time_that_was_not_measured():
    plan = replace(PLAN, work_seconds=None, unmeasured=("listen", "assess"), known_audio=3_600 * 400.0)
    said = " ".join(printed(plan_view(plan, 2)).split())
    assert "The time is not known: no speed of listening and judging was measured here yet." in said
    assert "700 hours of audio to listen to. The time" in said


def test_plan_of_nothing_to_do_says_so():
    said = printed(plan_view(replace(PLAN, needs=(), missing=0), 2))
    assert "There is nothing to do." in said
    assert "hours of audio" not in said


def test_summary_says_what_became_of_the_calls():
    summary = Summary(PLAN, 820, 31, 12, 3, 4, 3_600 * 300.0, 12_000.0, "the disk is full.")
    said = " ".join(printed(summary_view(summary)).split())
    assert "scored 820 300 hours of audio, 90 hours of audio an hour" in said
    for words in ("copies 31", "failed 12", "put in quarantine 3", "left 4", "had nothing to do 900"):
        assert words in said
    assert "Took 3 h 20 min (4.3 calls a minute)." in said
    assert "Stopped early: the disk is full." in said


def test_summary_for_machines():
    told = batch_json(Summary(PLAN, 820, 31, 12, 3, 4, 10.0, 12.0, None), dry_run=False)
    assert told["plan"]["to_do"] == 970
    assert (told["done"], told["copies"], told["failed"], told["quarantined"], told["left"]) == (820, 31, 12, 3, 4)
    assert batch_json(Summary(PLAN), dry_run=True) == {"dry_run": True, "plan": PLAN.to_dict()}


# --- forgetting ---------------------------------------------------------------------------------------


def test_forget_shows_call_reason_and_recording():
    found = [
        Forgettable(1, "2026/a.mp3", "a", "the name stands in transcript.vtt", "person"),
        Forgettable(None, None, "b", "asked for by its id", "call"),
    ]
    said = printed(forgettable_table(found))
    assert "2 calls to be forgotten" in said
    assert "the name stands in transcript.vtt" in said and "2026/a.mp3" in said


def test_forget_proves_and_names_what_is_left_to_the_owner():
    said = " ".join(printed(forgotten_view(Forgotten(("a", "b"), 2, 213, 400, (), ("2026/a.mp3",)))).split())
    assert "Forgotten: 2 calls and 2 rows of the ledger. Searched: 213 files and 400 rows of the ledger; " in said
    assert "found: nothing. The recording is yours and still there; delete it yourself" in said
    assert said.endswith("2026/a.mp3")


def test_forget_says_where_something_is_still_found():
    said = " ".join(printed(forgotten_view(Forgotten(("a",), 1, 0, 400, ("calls/b/transcript.vtt",), ()))).split())
    assert "Searched: what is stored of the calls and 400 rows of the ledger; still found in 1 place:" in said
    assert "calls/b/transcript.vtt" in said and "yours" not in said


# --- status and failures ------------------------------------------------------------------------------

RUN = Run("r", "live", "scoring-1", 4711, "{}", "2026-01-31T09:57:00.000Z", "2026-01-31T11:59:55.000Z", None)
STATUS = Status(
    "s3://calls/scores",
    "/data/ledger.db",
    {"done": 9_120, "copy": 31, "claimed": 16, "pending": 847, "failed": 1, "quarantined": 1},
    (RUN,),
    Done(12_000, 720_000.0, 500.0),
    300.0,
    (recording(2, "quarantined"), recording(1, "failed")),
    NOW,
)


def test_status_says_where_the_calls_are_and_who_works():
    said = printed(status_view(STATUS))
    assert "s3://calls/scores" in said
    for words, count in (("scored", "9,120"), ("waiting", "847"), ("in quarantine", "1"), ("in all", "10,016")):
        assert any(words in line and f" {count}" in line for line in said.splitlines()), words
    assert "Running on scoring-1 (process 4711) for 2 h 3 min, last sign of life 5 s ago" in said
    assert "In the last 5 min: 40.0 calls a second · 2,400 hours of audio an hour" in said
    assert "About 22 s left." in said
    assert "failed: call-1: it is empty" in said


def test_status_of_a_batch_that_is_not_running_promises_no_time():
    said = printed(status_view(replace(STATUS, runs=())))
    assert "No batch is running. The next one goes on with what waits." in said
    assert "left" not in said
    assert status_json(replace(STATUS, runs=()))["seconds_left"] is None


def test_status_of_a_run_that_has_finished_nothing_yet():
    status = replace(STATUS, pace=Done(0, 0.0, 0.0))
    assert "No call was finished in the last 5 min." in printed(status_view(status))
    assert status_json(status)["calls_per_second"] is None


def test_status_for_machines():
    told = status_json(STATUS)
    assert told["calls"] == {"done": 9120, "copy": 31, "claimed": 16, "pending": 847, "failed": 1, "quarantined": 1}
    assert told["running"][0]["host"] == "scoring-1"
    assert (told["calls_per_second"], told["audio_hours_per_hour"], told["seconds_left"]) == (40.0, 2400.0, 22)
    assert [one["call_id"] for one in told["latest_failures"]] == ["call-2", "call-1"]


def test_failures_tell_call_key_tries_and_the_whole_reason():
    words = [f"word{number}" for number in range(60)]
    failed = [recording(1, "failed", " ".join(words)), recording(2, "quarantined", None, "a\x1b[2J.mp3")]
    said = printed(failures_table(failed))
    assert "2 calls without a scorecard" in said
    assert all(word in said for word in words)
    assert "a\\x1b[2J.mp3" in said
    assert "in quarantine: no reason is known" in said


def test_failures_csv_holds_no_formula():
    rows = list(
        csv.DictReader(
            io.StringIO(failures_csv([recording(1, "failed", "=1+1", key="=cmd|'/c calc'!A0"), recording(2, "failed")]))
        )
    )
    assert [row["call_id"] for row in rows] == ["call-1", "call-2"]
    assert rows[0]["key"].startswith("'=")
    assert rows[0]["reason"] == "'=1+1"
    assert rows[1]["attempts"] == "2"
    assert rows[1]["last_tried_at"] == "2026-01-31T11:59:02.000Z"
