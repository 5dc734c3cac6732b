"""How much memory does a three-hour stereo call take? `python benchmarks/long_call.py [--hours 3] [--whisper FOLDER]`

A sample call is repeated to that length and scored from beginning to end in a process of its own: decoded, listened to,
judged, written. A script stands in for the words (a word every 0.4 s of speech), so that what is measured is our own
process and no engine's model; with --whisper a real model listens instead. Resident memory is read before (imports and
models loaded, a short call scored) and at its peak. Writes results/long_call.json.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent / "data" / "samples" / "clinics-demo.mp3"
REFERENCE = HERE.parent / "data" / "samples" / "reference" / "clinics-demo.vtt"
GOAL_MIB = 1024


def long_call(hours: float, folder: Path) -> Path:
    """The sample repeated to so many hours, as stereo Opus."""
    path = folder / "long.ogg"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-stream_loop", "-1", "-i", SAMPLE]
    options = ["-t", str(hours * 3600), "-ac", "2", "-ar", "16000", "-c:a", "libopus", "-b:a", "24k"]
    subprocess.run([*command, *options, path], check=True)
    return path


def resident_mib(what: str = "VmRSS") -> float:
    """This process's resident memory now, or at its peak (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024


def scripted():
    """An engine that hears a word of the reference every 0.4 s of speech."""
    from pipeline.listen.captions import read_transcript
    from pipeline.listen.transcribe import Transcript
    from pipeline.records import Word

    said = [word for turn in read_transcript(REFERENCE).turns for word in turn.text.split()]

    class Engine:
        name = "script"
        models = (("script", "1"),)
        warnings = ()

        def __call__(self, samples, *, hotwords=(), stretches=None, language=None):
            times = [start + 0.4 * n for start, end in stretches or () for n in range(int((end - start) / 0.4))]
            words = (Word(said[n % len(said)], at, at + 0.35, 0.9) for n, at in enumerate(times))
            return Transcript(tuple(words), "en", 0.9)

    return Engine()


def measure(path: Path, whisper: str | None) -> dict[str, object]:
    """The figures of one call, measured in this process."""
    from pipeline.listen.call_rows import default_row
    from pipeline.listening import engine_for
    from pipeline.score import score_call
    from pipeline.settings import ListenSettings

    settings = ListenSettings(engine="whisper", whisper_model=whisper) if whisper else ListenSettings()
    engine = engine_for(settings)[0] if whisper else scripted()
    stages: dict[str, float] = {}

    def progress(stage: str, done: int, total: int) -> None:
        stages[stage] = round(resident_mib("VmHWM"))

    with tempfile.TemporaryDirectory() as out:
        known = {"channels": (("rep",), ("customer",)), "language": "en"}
        score_call(replace(default_row(SAMPLE), **known), out=out, settings=settings, transcriber=engine)
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        before, began = resident_mib(), time.process_time()
        card = score_call(
            replace(default_row(path), **known), out=out, settings=settings, transcriber=engine, progress=progress
        )
    peak = resident_mib("VmHWM")
    return {
        "hours": round((card.call.duration or 0) / 3600, 2),
        "engine": card.call.quality.engine,
        "turns": len(card.call.turns),
        "words": sum(len(turn.text.split()) for turn in card.call.turns),
        "before_mib": round(before),
        "peak_mib": round(peak),
        "above_mib": round(peak - before),
        "goal_mib": GOAL_MIB,
        "peak_after_stage_mib": stages,
        "cpu_seconds": round(time.process_time() - began),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--whisper", help="folder of a CTranslate2 model; without it a script gives the words")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(measure(asked.measure, asked.whisper)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = long_call(asked.hours, Path(folder))
        command = [
            sys.executable,
            __file__,
            "--measure",
            path,
            *(["--whisper", asked.whisper] if asked.whisper else []),
        ]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    print(json.dumps(found, indent=1))
    (HERE / "results" / "long_call.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
