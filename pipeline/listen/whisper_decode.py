"""Packed speech and a loaded faster-whisper model in, segments with the recording's times out, by either path.

Sequential reads on from where the last word ended; batched decodes windows side by side, each for itself. Read in
faster-whisper 1.2.1, and why both are called as they are:

- The prompt goes in as `hotwords`: they stand before every window in both paths. An `initial_prompt` stands in the same
  place, but sequentially before the first window only, and beside hotwords it can overflow the decoder (2 × 223 tokens
  and the rest are more than 448).
- Where to listen is what was packed, not a second speech detection: ours has no cross-talk in it, and batched windows
  are cut between stretches. `hallucination_silence_threshold` has no silence left to skip, and batched ignores it.
- Batched decodes without timestamp tokens: with them it throws away what follows the last one.
- Temperature 0 and no way back to sampling, so the same sound gives the same words. Thresholds that make the sequential
  path skip windows unsaid are off; `guards` has the same rules for both paths, and counts.
- Nothing is conditioned on earlier text: one slip must not be repeated to the end. Batched can't do it anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.listen.guards import Segment
from pipeline.listen.media import RATE
from pipeline.listen.packing import WINDOW_SECONDS, Packed
from pipeline.listen.speech import Stretch
from pipeline.records import Word

Language = tuple[str, float | None]
"""ISO 639-1 code and the probability of its detection, None where it was given or is the model's only one."""
_OPTIONS: dict[str, Any] = {
    "beam_size": 5,
    "temperature": 0.0,
    "word_timestamps": True,
    "condition_on_previous_text": False,
    "no_speech_threshold": None,
    "log_prob_threshold": None,
    "compression_ratio_threshold": None,
    "vad_filter": False,
    "language_detection_segments": 4,  # looks on for up to two minutes while no language is likelier than a half
}


def read_sequential(
    model: Any, packed: Packed, *, language: str | None, prompt: str, apart: bool = False
) -> tuple[list[Segment], Language]:
    """Segments and language, one window after the other; `apart` begins a new window at every piece."""
    clips: Sequence[Stretch] = _pieces(packed) if apart else ((0.0, len(packed.samples) / RATE),)
    found, info = model.transcribe(
        packed.samples,
        language=language,
        hotwords=prompt or None,
        clip_timestamps=[time for clip in clips for time in clip],
        **_OPTIONS,
    )
    return _segments(found, packed, clips), _language(model, language, info)


def read_batched(
    model: Any, packed: Packed, *, language: str | None, prompt: str, batch: int
) -> tuple[list[Segment], Language]:
    """Segments and language, `batch` windows at a time; each window is one segment."""
    from faster_whisper import BatchedInferencePipeline

    clips = packed.windows()
    pipeline = BatchedInferencePipeline(model)  # a new one each time: it carries the last word's time along
    found, info = pipeline.transcribe(
        packed.samples,
        language=language,
        hotwords=prompt or None,
        clip_timestamps=[{"start": start, "end": end} for start, end in clips],
        without_timestamps=True,
        batch_size=batch,
        **_OPTIONS,
    )
    return _segments(found, packed, clips), _language(model, language, info)


def _pieces(packed: Packed) -> tuple[Stretch, ...]:
    return tuple((here / RATE, (here + count) / RATE) for here, _, count in packed.pieces)


def _language(model: Any, given: str | None, info: Any) -> Language:
    if given is not None or not model.model.is_multilingual:
        return info.language, None
    return info.language, round(float(info.language_probability), 4)


def _segments(found: Iterable[Any], packed: Packed, clips: Sequence[Stretch]) -> list[Segment]:
    """faster-whisper's segments as ours: the recording's times in their order, the engine's doubts."""
    segments: list[Segment] = []
    latest = 0.0
    for one in found:
        words = []
        for word in one.words or ():
            if text := word.word.strip():
                start, end = packed.place(float(word.start), float(word.end))
                latest = max(latest, start)
                words.append(_word(text, latest, max(latest, end), float(word.probability)))
        segments.append(
            Segment(
                words=tuple(words),
                no_speech=float(one.no_speech_prob),
                log_probability=float(one.avg_logprob),
                compression=float(one.compression_ratio),
                seconds=_length(one.seek / 100, clips),
            )
        )
    return segments


def _word(text: str, start: float, end: float, probability: float) -> Word:
    return Word(text, round(start, 3), round(end, 3), round(min(1.0, max(0.0, probability)), 4))


def _length(seek: float, clips: Sequence[Stretch]) -> float:
    """Seconds of sound in the window that begins at `seek`; a window ends with its clip."""
    end = next((end for start, end in reversed(clips) if start <= seek + 0.02), clips[-1][1])
    return min(WINDOW_SECONDS, end - seek)
