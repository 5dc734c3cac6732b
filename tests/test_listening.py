"""What a manifest's row tells before anybody listens, and which lines of an RTTM file are a call's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.listen.call_rows import CallRow
from pipeline.listen.rttm import write_rttm
from pipeline.listen.transcribe import Transcript
from pipeline.listening import expected_of, listen
from pipeline.records import SpeechSegment, Word
from pipeline.settings import ListenSettings

TWO_CHANNELS = Path(__file__).with_name("listen") / "audio" / "two_channels.flac"


class Counting:
    """An engine that hears "one", "two", … in the first second of every window."""

    name = "counting"
    models = (("counting", "1"),)
    warnings = ()

    def __call__(self, samples, *, hotwords=(), stretches=None, language=None) -> Transcript:
        start = stretches[0][0]
        words = (Word("one", start, start + 0.3, 0.9), Word("two", start + 0.4, start + 0.7, 0.9))
        return Transcript(words, language or "en")


@pytest.mark.parametrize(
    ("row", "people"),
    [
        ({"rep": "Ann", "customers": ("Carl",)}, (2, 2)),
        ({"rep": "Ann Lee; Bob Ray", "customers": ("Carl",)}, (3, 3)),
        ({"rep": "Ann", "manager": "Ann", "customers": ("Carl", "Dora")}, (3, 3)),
        ({"call_type": "one_on_one", "rep": "Ann; Bob", "manager": "Mo"}, (3, 3)),
        ({"rep": "Ann", "manager": "Mo", "customers": ("Carl",)}, (2, 3)),  # Mo may be Ann's superior, elsewhere
        ({"call_type": "joint", "rep": "Ann", "manager": "Mo", "customers": ("Carl",)}, (3, 3)),
        ({"rep": "Ann"}, None),
        ({"customers": ("Carl", "Dora")}, None),
        ({"call_type": "joint", "rep": "Ann"}, (3, 20)),
        ({"speakers": (2, 4), "rep": "Ann", "customers": ("Carl",)}, (2, 4)),
    ],
)
def test_listening_counts_the_people_that_the_row_names(row, people) -> None:
    assert expected_of(CallRow(None, "a", **row), ListenSettings()).speakers == people


def test_listening_expects_each_name_for_itself() -> None:
    row = CallRow(None, "a", rep="Ann Lee; Bob Ray", customers=("Carl",), products=("Aisle",))
    assert expected_of(row, ListenSettings(vocabulary=("Aisle", "Depot"))).terms == (
        *("Ann Lee", "Bob Ray", "Carl"),
        *("Aisle", "Depot"),
    )


def test_listening_takes_the_lines_of_its_recording_from_an_rttm_file_of_several(tmp_path) -> None:
    rttm = tmp_path / "all.rttm"
    own = write_rttm([SpeechSegment("Ann", 0.0, 8.0), SpeechSegment("Carl", 8.0, 15.0)], TWO_CHANNELS.stem)
    rttm.write_text(write_rttm([SpeechSegment("Mo", 0.0, 900.0)], "another") + own)
    row = CallRow(TWO_CHANNELS, "a", rep="Ann", customers=("Carl",), rttm=rttm)
    call, _ = listen(row, ListenSettings(), Counting(), lambda stage, done, total: None)
    assert [(one.speaker, one.role, one.role_from) for one in call.participants] == [
        ("Ann", "rep", "manifest"),
        ("Carl", "customer", "manifest"),
    ]
    assert call.turns[0].speaker == "Ann"
