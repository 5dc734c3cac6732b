"""What goes wrong with recordings, made from good ones: arrays of (channels, samples) at 16 kHz in, worse ones out.

Also engines without a model, for tests in which the words are not in question, and how far speech is from a reference.
"""

from __future__ import annotations

import wave
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from pipeline.evaluate.speakers import diarization_errors, talk_share_error
from pipeline.listen.captions import read_transcript
from pipeline.listen.media import RATE, Samples, decode
from pipeline.listen.transcribe import Transcript
from pipeline.records import SpeechSegment, Word

_WORD = 0.4  # seconds that a scripted word takes, of which it lasts three quarters
_ENCODERS = {".mp3": "libmp3lame", ".ogg": "libopus", ".m4a": "aac"}


# --- recordings -----------------------------------------------------------------------------------


def clip(recording: Path, start: float, end: float) -> Samples:
    """The recording's channels between two times in seconds."""
    return np.array(decode(recording).window(round(start * RATE), round(end * RATE)))


def mixed(channels: Samples) -> Samples:
    """Everybody on one channel, (1, samples)."""
    return np.asarray(channels.mean(axis=0, keepdims=True, dtype=np.float32))


def late(channel: Samples, seconds: float) -> Samples:
    """The channel with everything later by so much, and as long as before."""
    steps = round(seconds * RATE)
    return np.concatenate([np.zeros(steps, np.float32), channel[: len(channel) - steps]])


def with_bleed(channels: Samples, db: float, *, delay: float = 0.012, noise_db: float = -62.0) -> Samples:
    """Every channel with all others on it, fainter by `db` (negative) and a little later, and with noise."""
    gain = 10 ** (db / 20)
    others = np.stack([late(channels.sum(axis=0) - own, delay) for own in channels])
    return np.asarray(channels + gain * others + noise(channels.shape, noise_db), np.float32)


def noise(shape: tuple[int, ...], db: float, seed: int = 0) -> Samples:
    """White noise whose root mean square is `db` under full scale."""
    return np.asarray(np.random.default_rng(seed).normal(0, 10 ** (db / 20), shape), np.float32)


def hum(length: int, db: float = -40.0) -> Samples:
    """The mains: 50 Hz and two of its harmonics, so many samples long."""
    at = 2 * np.pi * 50 * np.arange(length) / RATE
    return np.asarray(10 ** (db / 20) * (np.sin(at) + 0.5 * np.sin(2 * at) + 0.25 * np.sin(3 * at)), np.float32)


def write_wav(path: Path, channels: Samples) -> Path:
    """The channels as a 16-bit wav file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.ascontiguousarray(_pcm(channels).T).tobytes())
    return path


def write_lossy(path: Path, channels: Samples, bits_a_channel: int = 32_000) -> Path:
    """One or two channels as mp3, ogg (Opus) or m4a (AAC), by the path's ending."""
    layout = "mono" if len(channels) == 1 else "stereo"
    rate = 48_000 if path.suffix == ".ogg" else 32_000
    with av.open(str(path), "w") as container:
        stream = container.add_stream(_ENCODERS[path.suffix], rate=rate, layout=layout)
        stream.bit_rate = bits_a_channel * len(channels)
        resampler = av.AudioResampler(format=stream.format.name, layout=layout, rate=rate)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(_pcm(channels)), "s16p", layout)
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        fifo = av.AudioFifo()
        for ready in (*resampler.resample(frame), *resampler.resample(None)):
            fifo.write(ready)
        size = stream.codec_context.frame_size or 1024
        while piece := fifo.read(size, partial=True):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def _pcm(channels: Samples) -> np.ndarray:
    return np.clip(np.round(channels * 32768), -32768, 32767).astype("<i2")


# --- references -----------------------------------------------------------------------------------


def within(reference: Sequence[SpeechSegment], start: float, end: float) -> tuple[SpeechSegment, ...]:
    """What a clip between two times holds of the reference, from the clip's beginning on."""
    cut = (SpeechSegment(one.speaker, max(one.start, start) - start, min(one.end, end) - start) for one in reference)
    return tuple(one for one in cut if one.end > max(one.start, 0.0))


def der(reference: Sequence[SpeechSegment], heard: Sequence[SpeechSegment]) -> float:
    """Diarization error rate with a collar of 0.25 s, by pyannote.metrics: the worse of both readings of that, 0.25 s
    on each side of a boundary or on both together."""
    errors = diarization_errors(reference, heard)
    return max(errors[name].part / errors[name].whole for name in ("der_0.125", "der_0.25"))


def worst_share_error(reference: Sequence[SpeechSegment], heard: Sequence[SpeechSegment]) -> float:
    """The error of the talk share of the speaker with the greatest, in percentage points."""
    return talk_share_error(reference, heard).counts["worst"]


# --- engines --------------------------------------------------------------------------------------


class Scripted:
    """An engine that hears a word every 0.4 s wherever there is speech: English words, none of which tells a role."""

    name = "scripted"
    models = (("scripted", "1"),)
    warnings: tuple[str, ...] = ()

    def __call__(
        self,
        samples: Samples,
        *,
        hotwords: tuple[str, ...] = (),
        stretches: Sequence[tuple[float, float]] | None = None,
        language: str | None = None,
    ) -> Transcript:
        starts = [at for start, end in stretches or () for at in np.arange(start, end - 0.75 * _WORD, _WORD)]
        said = [Word("word", round(float(at), 3), round(float(at) + 0.75 * _WORD, 3), 0.9) for at in starts]
        return Transcript(tuple(said), language="en")


class Knowing(Scripted):
    """An engine that hears what a reference transcript says: on each of the channels the words of its people, as far as
    there is speech, spread evenly over their cues."""

    name = "knowing"
    models = (("knowing", "1"),)

    def __init__(self, channels: Samples, transcript: Path, channel_of: Mapping[str, int]) -> None:
        self._channels = channels
        self._words: list[list[Word]] = [[] for _ in channels]
        for turn in read_transcript(transcript).turns:
            said = turn.text.split()
            times = np.linspace(turn.start or 0.0, turn.end or 0.0, len(said) + 1)
            self._words[channel_of[turn.speaker]] += [
                Word(text, float(a), float(b), 0.9) for text, a, b in zip(said, times, times[1:], strict=False)
            ]

    def __call__(
        self,
        samples: Samples,
        *,
        hotwords: tuple[str, ...] = (),
        stretches: Sequence[tuple[float, float]] | None = None,
        language: str | None = None,
    ) -> Transcript:
        spoken = stretches or ()
        channel, at = self._place(samples, round(spoken[0][0] * RATE)) if spoken else (0, 0.0)
        said = [
            Word(word.text, round(max(0.0, word.start - at), 3), round(word.end - at, 3), word.probability)
            for word in self._words[channel]
            if any(start <= (word.start + word.end) / 2 - at <= end for start, end in spoken)
        ]
        return Transcript(tuple(said), language="en")

    def _place(self, samples: Samples, first: int) -> tuple[int, float]:
        """Which channel these samples are of, and the time in it at which they begin."""
        piece = samples[first : first + RATE // 10]
        for index, channel in enumerate(self._channels):
            for at in np.flatnonzero(channel[: len(channel) - len(piece) + 1] == piece[0]):
                if np.array_equal(channel[at : at + len(piece)], piece):
                    return index, (int(at) - first) / RATE
        raise ValueError("these samples are of no channel")
