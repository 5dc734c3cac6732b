"""Who speaks when: speech segments of a reference and of an output in, DER and talk-share errors out.

pyannote.metrics scores, with its optimal mapping of speakers. Overlapping speech counts, and all of the call does: from
0 to the last speech of either side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline.evaluate.figures import Figure
from pipeline.records import Side, SpeechSegment

COLLARS = (0.0, 0.125, 0.25)
"""Seconds on either side of each boundary of the reference that are not scored. NIST's md-eval calls the last one
`-c 0.25`; pyannote.metrics, which gives the width of both sides together, `collar=0.5`."""

Speech = Sequence[SpeechSegment]


def der_name(collar: float) -> str:
    """The figure's name: "der" without a collar, else "der_0.25" and the like."""
    return f"der_{collar:g}" if collar else "der"


def diarization_errors(reference: Speech, heard: Speech) -> dict[str, Figure]:
    """Diarization error rate for each collar: (missed + false alarm + confusion) / speech, counts in seconds."""
    from pyannote.metrics.diarization import DiarizationErrorRate

    said, got = _annotation(reference), _annotation(heard)
    found: dict[str, Figure] = {}
    for collar in COLLARS:
        parts = DiarizationErrorRate(collar=2 * collar)(said, got, uem=_extent(reference, heard), detailed=True)
        counts = {
            "missed": parts["missed detection"],
            "false_alarm": parts["false alarm"],
            "confusion": parts["confusion"],
            "speech": parts["total"],
        }
        found[der_name(collar)] = Figure(sum(counts.values()) - counts["speech"], counts["speech"], counts)
    return found


def talk_share_error(reference: Speech, heard: Speech) -> Figure:
    """Mean error of a speaker's talk share in percentage points; counts: the speakers, and the worst error.

    A talk share is a speaker's time over all speaking time. Speakers are paired by the mapping that makes DER smallest;
    one without a partner has a share of 0 on the other side.
    """
    from pyannote.metrics.diarization import DiarizationErrorRate

    said, got = _annotation(reference), _annotation(heard)
    mapping = DiarizationErrorRate().optimal_mapping(said, got, uem=_extent(reference, heard))
    true, found = _shares(said), _shares(got)
    partner = {mapping.get(label, ("extra", label)): share for label, share in found.items()}
    errors = [abs(true.get(label, 0.0) - partner.get(label, 0.0)) for label in {**true, **partner}]
    return _points(errors)


def side_share_error(
    reference: Speech, heard: Speech, *, said: Callable[[str], Side], got: Callable[[str], Side]
) -> Figure | None:
    """The error of the selling side's talk share in percentage points; None where either knows no side of a speaker."""
    shares = [_seller_share(reference, said), _seller_share(heard, got)]
    true, found = shares
    return None if true is None or found is None else _points([abs(true - found)])


def _seller_share(speech: Speech, side: Callable[[str], Side]) -> float | None:
    shares = _shares(_annotation(speech))
    sides = {label: side(label) for label in shares}
    if "unknown" in sides.values():
        return None
    return sum(share for label, share in shares.items() if sides[label] == "seller")


def _points(errors: Sequence[float]) -> Figure:
    points = [100 * error for error in errors]
    return Figure(sum(points), len(points), {"shares": len(points), "worst": max(points, default=0.0)})


def _shares(annotation: Any) -> Mapping[str, float]:
    """Speaker -> share (0-1) of all speaking time."""
    times = {label: annotation.label_duration(label) for label in annotation.labels()}
    total = sum(times.values())
    return {label: time / total for label, time in times.items()} if total else {}


def _annotation(speech: Speech) -> Any:
    """The segments as pyannote.core has them; stretches of one speaker that overlap become one."""
    from pyannote.core import Annotation, Segment

    annotation = Annotation()
    for track, one in enumerate(speech):
        if one.end > one.start:
            annotation[Segment(one.start, one.end), track] = one.speaker
    return annotation.support()


def _extent(*sides: Speech) -> Any:
    from pyannote.core import Segment, Timeline

    return Timeline([Segment(0.0, max((one.end for speech in sides for one in speech), default=0.0))])
