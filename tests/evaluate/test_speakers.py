"""DER and talk shares: sums worked by hand, and what must not change them."""

from dataclasses import replace
from pathlib import Path

import pytest
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from pipeline import resources
from pipeline.evaluate.figures import CallFigures, totals
from pipeline.evaluate.speakers import diarization_errors, side_share_error, talk_share_error
from pipeline.listen.rttm import read_rttm
from pipeline.records import SpeechSegment

SAID = (SpeechSegment("A", 0, 10), SpeechSegment("B", 10, 16), SpeechSegment("A", 20, 24))
HEARD = (
    SpeechSegment("1", 0.2, 10.1),  # starts late by 0.2, goes on for 0.1 into B
    SpeechSegment("2", 10.1, 16),
    SpeechSegment("2", 20, 21),  # A's
    SpeechSegment("1", 21, 24.5),
)


def seconds(figure):
    return {name: round(count, 3) for name, count in figure.counts.items()}


def test_der_without_collar_worked_by_hand():
    found = diarization_errors(SAID, HEARD)["der"]
    assert seconds(found) == {"missed": 0.2, "false_alarm": 0.5, "confusion": 1.1, "speech": 20.0}
    assert found.value == pytest.approx(1.8 / 20)


def test_der_collars_are_what_lies_on_either_side_of_a_boundary():
    found = diarization_errors(SAID, HEARD)
    # boundaries at 0, 10, 16, 20 and 24: 10 has speech on both sides, the others on one
    assert seconds(found["der_0.125"]) == {
        "missed": 0.075, "false_alarm": 0.375, "confusion": 0.875, "speech": round(20 - 6 * 0.125, 3),
    }  # fmt: skip
    assert seconds(found["der_0.25"]) == {
        "missed": 0.0, "false_alarm": 0.25, "confusion": 0.75, "speech": round(20 - 6 * 0.25, 3),
    }  # fmt: skip


def test_der_overlapping_speech_counts_for_both():
    said = (SpeechSegment("A", 0, 10), SpeechSegment("B", 8, 12))
    found = diarization_errors(said, (SpeechSegment("x", 0, 10), SpeechSegment("y", 10, 12)))["der"]
    assert seconds(found) == {"missed": 2.0, "false_alarm": 0.0, "confusion": 0.0, "speech": 14.0}


def test_der_speech_before_and_after_the_reference_s_is_false_alarm():
    found = diarization_errors((SpeechSegment("A", 5, 10),), (SpeechSegment("x", 0, 12),))["der"]
    assert seconds(found)["false_alarm"] == 7.0


def test_der_of_nobody_heard_is_all_missed():
    found = diarization_errors(SAID, ())["der"]
    assert (found.value, found.counts["missed"]) == (1.0, 20.0)
    assert diarization_errors((), HEARD)["der"].value is None


def test_speakers_renaming_and_splitting_segments_changes_nothing():
    names = {"1": "zoe", "2": "abe"}
    renamed = tuple(replace(one, speaker=names[one.speaker]) for one in reversed(HEARD))
    halves = tuple(
        half
        for one in renamed
        for middle in [(one.start + one.end) / 2]
        for half in (replace(one, end=middle), replace(one, start=middle - 0.1))
    )
    for other in (renamed, halves):
        found = diarization_errors(SAID, other)
        for name, figure in diarization_errors(SAID, HEARD).items():
            assert seconds(found[name]) == seconds(figure)
        assert talk_share_error(SAID, other).value == pytest.approx(talk_share_error(SAID, HEARD).value)


def test_der_total_is_that_of_pyannote_over_the_same_calls():
    folder = resources.ROOT / "data" / "samples" / "reference"
    metric, calls = DiarizationErrorRate(collar=0.5), []
    for path in sorted(Path(folder).glob("*.rttm")):
        said = read_rttm(path)
        heard = tuple(replace(one, start=one.start + 0.3, end=one.end + 0.4) for one in said)
        calls.append(CallFigures(path.stem, diarization_errors(said, heard)))
        end = max(one.end for one in heard)
        metric(_annotation(said), _annotation(heard), uem=Timeline([Segment(0, end)]))
    assert totals(calls)["der_0.25"].figure.value == pytest.approx(abs(metric))


def _annotation(speech):
    made = Annotation()
    for one in speech:
        made[Segment(one.start, one.end)] = one.speaker
    return made.support()


def test_talk_share_error_worked_by_hand():
    # said: A 14 of 20, B 6 of 20; heard: 1 13.4 of 20.3, 2 6.9 of 20.3
    found = talk_share_error(SAID, HEARD)
    error = 100 * (14 / 20 - 13.4 / 20.3)
    assert found.value == pytest.approx(error)
    assert found.counts == {"shares": 2, "worst": pytest.approx(error)}


def test_talk_share_of_a_speaker_without_partner_is_an_error_of_its_own():
    found = talk_share_error(SAID, (SpeechSegment("x", 0, 20),))
    assert found.counts["shares"] == 2
    assert found.value == pytest.approx(30)  # 70 taken for 100, and 30 for 0
    third = (*HEARD, SpeechSegment("3", 30, 35))
    assert talk_share_error(SAID, third).counts["shares"] == 3


def test_side_share_error_needs_everybody_s_side():
    sides = {"A": "seller", "B": "buyer", "1": "seller", "2": "buyer"}
    found = side_share_error(SAID, HEARD, said=sides.get, got=sides.get)
    assert found.value == pytest.approx(100 * (14 / 20 - 13.4 / 20.3))
    assert side_share_error(SAID, HEARD, said=sides.get, got=lambda label: "unknown") is None
    swapped = side_share_error(SAID, HEARD, said=sides.get, got=lambda label: sides["AB"[label == "1"]])
    assert swapped.value == pytest.approx(100 * (14 / 20 - 6.9 / 20.3))
