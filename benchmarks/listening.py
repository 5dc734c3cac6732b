"""How right is the listening? `python benchmarks/listening.py [--keep FOLDER]`

Three sets are scored with the embedded engine, then compared with their references by `pipeline.evaluation`: the
samples' own recordings with a channel a party, the same calls mixed to mono and told apart without weights, and the
real phone call that pyannote.audio ships. Outputs are written first and stay in FOLDER. Writes results/listening.json.
"""

import argparse
import json
import tempfile
import wave
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from rich.console import Console

from pipeline.evaluation import Evaluation, evaluate_files
from pipeline.evaluation_table import summary
from pipeline.listen.manifest import CallRow, default_row, read_manifest
from pipeline.listen.media import RATE, decode
from pipeline.score import score_calls
from pipeline.settings import ListenSettings

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parent / "data" / "samples"
SETTINGS = ListenSettings(engine="sphinx")


def recorded() -> list[CallRow]:
    """The samples that have a recording."""
    return [row for row in read_manifest(SAMPLES / "calls.csv").rows if row.recording]


def mixed(folder: Path) -> list[CallRow]:
    """The same calls with all channels mixed into one; who spoke on which is no longer known."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for row in recorded():
        audio = decode(row.recording, SETTINGS.limits)
        mono = sum(audio.channel(channel) for channel in range(audio.channels)) / audio.channels
        path = folder / f"{row.call_id}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes((np.clip(mono, -1, 1) * 32767).astype("<i2").tobytes())
        rows.append(replace(row, recording=path, channels=()))
    return rows


def phone_folder() -> Path:
    """Where pyannote.audio keeps its phone call, with RTTM and STM."""
    [folder] = find_spec("pyannote").submodule_search_locations
    return Path(folder) / "audio" / "sample"


def evaluated(rows: list[CallRow], references: Path, out: Path) -> tuple[Evaluation, dict[str, str]]:
    """The figures of the rows, and the reasons of those that could not be scored. Raises UsageError if none could."""
    outcomes = score_calls(rows, out=out, settings=SETTINGS)
    refused = {outcome.row.call_id: outcome.error for outcome in outcomes if outcome.error}
    for call_id, reason in refused.items():
        print(f"not scored: {call_id}: {reason}")
    return evaluate_files(out, references=references, manifest=SAMPLES / "calls.csv"), refused


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="folder for the outputs [default: a temporary one]")
    keep = parser.parse_args().keep
    with tempfile.TemporaryDirectory() as temporary:
        place = keep or Path(temporary)
        phone = replace(default_row(phone_folder() / "sample.wav"), speakers=(2, 2))
        sets = {
            "a channel a party": (recorded(), SAMPLES / "reference"),
            "mixed to mono, two-party fallback": (mixed(place / "mono"), SAMPLES / "reference"),
            "pyannote's phone call, two-party fallback": ([phone], phone_folder()),
        }
        results = {}
        for number, (name, (rows, references)) in enumerate(sets.items(), start=1):
            found, refused = evaluated(rows, references, place / f"set-{number}")
            refused = {call_id: reason.replace(f"{place}/", "") for call_id, reason in refused.items()}
            Console().print(f"\n[bold]{name}[/]", summary(found))
            results[name] = {**json.loads(found.to_json()), "not_scored": refused}
    text = json.dumps(results, indent=2, ensure_ascii=False) + "\n"
    (HERE / "results" / "listening.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
