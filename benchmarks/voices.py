"""How well are two voices on one channel told apart without weights, and how stable is that? `benchmarks/voices.py`

The real phone call that pyannote.audio ships, the samples mixed to one channel, each also through a telephone codec and
in noise, and, where flite is installed, dialogues made of the corpus's texts with other voices. Printed for each: DER
strict, with 0.25 s of collar in all, and with 0.25 s on each side; the least that any labels on the speech found could
give (`floor`); how far the ways of listening agree, and whether the result is refused. Then DER over a range of each
setting and of all together, and how often one voice is taken for two. Writes results/voices.json.
"""

import importlib.util
import json
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from time import process_time

import numpy as np
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate
from scipy.signal import resample_poly

from pipeline.listen.media import RATE, decode
from pipeline.listen.rttm import read_rttm
from pipeline.listen.speech import SpeechSettings, find_speech
from pipeline.listen.voices import LEAST_AGREEMENT, WAYS, surely_two, tell_apart
from pipeline.listen.voices_pieces import VoiceSettings
from pipeline.records import SpeechSegment
from pipeline.torch_runtime import prepare

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "data"
COLLARS = {"strict": 0.0, "collar": 0.25, "collar_each_side": 0.5}  # pyannote's collar is the whole width
RANGE = {
    "piece": (0.25, 0.3, 0.35, 0.45, 0.5, 0.55, 0.6),
    "cepstra": (13, 16, 22, 24),
    "sounds": ((2, 4), (3, 4, 6), (2, 3), (4, 8), (1, 2, 3, 4, 6, 8)),
    "highest": ((3400.0,), (4000.0,), (7600.0,), (3400.0, 4000.0), (4000.0, 7600.0), (3600.0, 5500.0)),
    "shrinkage": (0.2, 0.3, 0.5, 0.6),
    "weight": (0.25, 0.35, 0.7, 1.0),
    "turn": (2.0, 3.0, 6.0, 8.0),
    "seed": (1, 2, 3, 4),
}
SPEECH_RANGE = {
    "threshold": (0.3, 0.4, 0.6, 0.7),
    "pause": (0.2, 0.3, 0.4, 0.7),
    "padding": (0.0, 0.03, 0.1, 0.15),
    "longest": (4.0, 10.0, 60.0),
}
DRAWS = 20
PAIRS = (("rms", "slt"), ("awb", "slt"), ("rms", "awb"), ("kal16", "rms"), ("slt", "slt low"), ("rms", "rms high"))
SHIFTS = {"low": (9, 10), "high": (11, 10)}  # pitch and formants: another person of the same sex


@dataclass(frozen=True)
class Case:
    """One recording on one channel with its reference."""

    name: str
    samples: np.ndarray
    reference: tuple[SpeechSegment, ...]


# --- recordings -----------------------------------------------------------------------------------------------------


def phone_call() -> Case:
    """The real call."""
    prepare()
    folder = Path(importlib.util.find_spec("pyannote.audio").submodule_search_locations[0]) / "sample"
    return Case("phone call", decode(folder / "sample.wav").channel(0), read_rttm(folder / "sample.rttm"))


def channels() -> Iterator[tuple[str, np.ndarray, tuple[SpeechSegment, ...]]]:
    """Every sample's channels, with its reference; a role's channel is in the manifest's order."""
    for path in sorted((DATA / "samples" / "reference").glob("*.rttm")):
        recording = next(one for one in (DATA / "samples").glob(f"{path.stem}.*") if one.suffix != ".vtt")
        yield path.stem, np.asarray(decode(recording).samples), read_rttm(path)


def mixed() -> Iterator[Case]:
    """Calls of two as one channel; of the call of three, every two of them."""
    for name, samples, reference in channels():
        if len(samples) == 2:
            yield Case(name, one(samples), reference)
            continue
        roles = ("rep", "manager", "customer")
        for missing, role in enumerate(roles):
            rest = np.delete(samples, missing, axis=0)
            pair = "+".join(other for other in roles if other != role)
            yield Case(f"{name} {pair}", one(rest), tuple(turn for turn in reference if turn.speaker != role))


def one(samples: np.ndarray) -> np.ndarray:
    """The channels mixed to one."""
    return np.ascontiguousarray(samples.mean(0), dtype=np.float32)


def telephone(samples: np.ndarray) -> np.ndarray:
    """Through 8 kHz mu-law."""
    narrow = np.clip(resample_poly(samples, 1, 2), -1, 1)
    code = np.round(127 * np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)) / 127
    wide = resample_poly(np.sign(code) * (256 ** np.abs(code) - 1) / 255, 2, 1)
    return np.ascontiguousarray(wide[: len(samples)], dtype=np.float32)


def noisy(samples: np.ndarray, decibels: float) -> np.ndarray:
    """With white noise this far below the speech."""
    level = np.sqrt(np.mean(samples[np.abs(samples) > 0.01] ** 2)) * 10 ** (-decibels / 20)
    return (samples + np.random.default_rng(0).normal(0, level, len(samples))).astype(np.float32)


def made(seconds: float = 90.0) -> Iterator[tuple[Case, np.ndarray]]:
    """Dialogues in flite's voices with texts of the corpus, as one channel and as two."""
    texts = sorted((DATA / "corpus" / "calls").glob("*.json"))[::40]
    for index, pair in enumerate(PAIRS):
        call = json.loads(texts[index].read_text(encoding="utf-8"))
        draw = np.random.default_rng(index)
        people: dict[str, int] = {}
        placed, reference, end = [], [], 0.6
        for turn in call["turns"]:
            person = people.setdefault(turn["speaker"], len(people))
            if person > 1 or end > seconds:
                continue
            spoken = speak(turn["text"], pair[person])
            start = end + (draw.uniform(0.15, 0.7) if draw.random() < 0.85 else -draw.uniform(0.1, 0.4))
            if reference and reference[-1].speaker == str(person):
                start = end + 0.3
            placed.append((person, round(start * RATE), spoken))
            reference.append(SpeechSegment(str(person), start, start + len(spoken) / RATE))
            end = max(end, reference[-1].end)
        samples = draw.normal(0, 10 ** (-72 / 20), (2, round((end + 0.8) * RATE)))
        for person, first, spoken in placed:
            samples[person, first : first + len(spoken)] += spoken
        yield Case(f"made {pair[0]} + {pair[1]}", one(samples), tuple(reference)), samples.astype(np.float32)


def fainter(case: Case, samples: np.ndarray) -> Case:
    """The second voice 10 dB below the first."""
    gains = np.array([[1.0], [10 ** (-10 / 20)]])
    return Case(f"{case.name}, one 10 dB lower", one(samples * gains), case.reference)


def rarer(case: Case, samples: np.ndarray) -> Case:
    """The second voice without most of its turns: about an eighth of the speech."""
    quiet = samples.copy()
    allowed = sum(turn.end - turn.start for turn in case.reference if turn.speaker == "0") / 7
    kept = []
    for turn in sorted(case.reference, key=lambda turn: turn.end - turn.start):
        if turn.speaker == "1" and turn.end - turn.start > allowed:
            quiet[1, round(turn.start * RATE) : round(turn.end * RATE)] = 0
            continue
        allowed -= turn.end - turn.start if turn.speaker == "1" else 0
        kept.append(turn)
    return Case(f"{case.name}, one seldom", one(quiet), tuple(sorted(kept, key=lambda turn: turn.start)))


def speak(text: str, voice: str) -> np.ndarray:
    """The text in one of flite's voices at -26 dB, without the silence around it."""
    name, _, shift = voice.partition(" ")
    with tempfile.TemporaryDirectory() as folder:
        heard = Path(folder) / "heard.wav"
        subprocess.run(["flite", "-voice", name, "-t", text, "-o", heard], check=True)
        with wave.open(str(heard)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32768
    if shift:
        up, down = SHIFTS[shift]
        samples = resample_poly(samples, down, up)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    samples = samples[max(0, loud[0] - RATE // 50) : loud[-1] + RATE // 50]
    return samples * 10 ** (-26 / 20) / np.sqrt(np.mean(samples**2))


# --- figures --------------------------------------------------------------------------------------------------------


def annotation(segments: tuple[SpeechSegment, ...]) -> Annotation:
    found = Annotation()
    for index, segment in enumerate(segments):
        found[Segment(segment.start, segment.end), index] = segment.speaker
    return found


def errors(case: Case, heard: tuple[SpeechSegment, ...]) -> dict[str, float]:
    """DER with each collar."""
    whole = Timeline([Segment(0, len(case.samples) / RATE)])
    pair = annotation(case.reference), annotation(heard)
    return {name: round(DiarizationErrorRate(collar=collar)(*pair, uem=whole), 4) for name, collar in COLLARS.items()}


def floor(case: Case, stretches) -> float:
    """DER, 0.25 s left out on each side, of the speech found with the reference's voices, one at a time."""
    cuts = sorted({time for turn in case.reference for time in (turn.start, turn.end)})
    best = []
    for start, end in stretches:
        edges = [start, *(cut for cut in cuts if start < cut < end), end]
        for a, b in pairwise(edges):
            speaking = [turn.speaker for turn in case.reference if turn.start <= (a + b) / 2 < turn.end]
            best.append(SpeechSegment((speaking or [case.reference[0].speaker])[0], a, b))
    return errors(case, tuple(best))["collar_each_side"]


def row(case: Case) -> dict[str, object]:
    stretches = find_speech(case.samples)
    began = process_time()
    voices = tell_apart(case.samples, stretches)
    seconds = process_time() - began
    return {
        "name": case.name,
        **errors(case, voices.speech),
        "floor": floor(case, stretches),
        "agreement": round(voices.agreement, 3),
        "refused": voices.agreement < LEAST_AGREEMENT,
        "surely_two": surely_two(voices),
        "real_time_factor": round(seconds * RATE / len(case.samples), 4),
    }


def over_settings(case: Case, draws: int) -> list[dict[str, object]]:
    """DER, 0.25 s left out on each side: each setting on its own with one way of listening, the finding of speech with
    all ways, and all settings drawn at once."""
    rows = []
    stretches = find_speech(case.samples)
    for name, values in RANGE.items():
        for value in values:
            way = replace(VoiceSettings(), **{name: value})
            rows.append(setting(case, name, value, tell_apart(case.samples, stretches, ways=(way,))))
    for name, values in SPEECH_RANGE.items():
        for value in values:
            found = find_speech(case.samples, replace(SpeechSettings(), **{name: value}))
            rows.append(setting(case, f"speech {name}", value, tell_apart(case.samples, found)))
    draw = np.random.default_rng(0)
    for number in range(draws):
        own = {name: values[draw.integers(len(values))] for name, values in RANGE.items()}
        speech = {name: values[draw.integers(len(values))] for name, values in SPEECH_RANGE.items()}
        found = find_speech(case.samples, replace(SpeechSettings(), **speech))
        ways = (replace(VoiceSettings(), **own), *WAYS[1:])
        rows.append(setting(case, "together, one way", number, tell_apart(case.samples, found, ways=ways[:1])))
        rows.append(setting(case, "together, all ways", number, tell_apart(case.samples, found, ways=ways)))
    return rows


def setting(case: Case, name: str, value, voices) -> dict[str, object]:
    der = errors(case, voices.speech)["collar_each_side"]
    return {"setting": name, "value": value, "der": der, "agreement": round(voices.agreement, 3)}


def print_range(rows: list[dict[str, object]]) -> None:
    for name in dict.fromkeys(one["setting"] for one in rows):
        values = [one["der"] for one in rows if one["setting"] == name]
        kept = [one["der"] for one in rows if one["setting"] == name and one["agreement"] >= LEAST_AGREEMENT]
        worst = f"worst {max(values):.3f}, of the {len(kept)} of {len(values)} not refused {max(kept, default=0):.3f}"
        print(f"  {name:20} median {np.median(values):.3f}  over 0.10: {sum(v > 0.1 for v in values)}  {worst}")


def main() -> None:
    cases = [phone_call(), *mixed()]
    singles = [(name, np.ascontiguousarray(channel)) for name, samples, _ in channels() for channel in samples]
    dialogues = list(made()) if shutil.which("flite") else []
    cases += [case for case, _ in dialogues]
    singles += [(case.name, channel) for case, samples in dialogues for channel in samples]
    hard = [*cases[:2], cases[-1]]
    cases += [change(*dialogue) for change in (fainter, rarer) for dialogue in dialogues[1::2]]
    cases += [Case(f"{case.name}, mu-law", telephone(case.samples), case.reference) for case in hard]
    cases += [Case(f"{case.name}, noise 20 dB", noisy(case.samples, 20), case.reference) for case in hard]
    rows = []
    print(f"{'':44} strict   0.25 2x0.25  floor  agree")
    for case in cases:
        rows.append(row(case))
        figures = " ".join(f"{rows[-1][name]:6.3f}" for name in (*COLLARS, "floor", "agreement"))
        marks = [name for name in ("refused", "surely_two") if rows[-1][name]]
        print(f"{case.name:44} {figures} {' '.join(marks)}", flush=True)
    alarms = [(name, surely_two(tell_apart(channel, find_speech(channel)))) for name, channel in singles]
    print(f"channels of one voice taken for two: {sum(alarm for _, alarm in alarms)} of {len(alarms)}")
    settings = over_settings(cases[0], DRAWS)
    print(f"{cases[0].name}: DER, 0.25 s left out on each side, over settings")
    print_range(settings)
    one_voice = {"channels": len(alarms), "taken_for_two": [name for name, alarm in alarms if alarm]}
    result = {"rows": rows, "one_voice": one_voice, "settings": settings}
    (HERE / "results" / "voices.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
