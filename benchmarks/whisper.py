"""Is Whisper's batched path faster than its sequential one, at what cost in memory, and does it hear the same words?

Run: python benchmarks/whisper.py. Writes benchmarks/results/whisper.json. Without weights it builds models of the
published sizes with seeded random weights and int8 precision and measures both paths side by side, window by window
of 30 s. Random weights never end a window early, so every window decodes `TOKENS` tokens (what a fast talker says in
30 s): the cost of a window is a real model's, which words come out means nothing.

With real weights: python benchmarks/whisper.py --model FOLDER --recording FILE prints, for that model and recording,
the time of both paths, how far their words differ and what the guards dropped.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from pipeline.listen.guards import total_dropped
from pipeline.listen.media import RATE, Samples, decode
from pipeline.listen.speech import find_speech
from pipeline.listen.transcribe import Transcript
from pipeline.listen.whisper import load_whisper
from pipeline.settings import ListenSettings
from pipeline.torch_runtime import prepare

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "tests" / "listen" / "audio" / "two_channels.flac"
RESULTS = ROOT / "benchmarks" / "results" / "whisper.json"
SIZES = {"tiny": (384, 4, 6), "base": (512, 6, 8), "small": (768, 12, 12)}  # width, layers, heads, as published
BATCHES = (2, 4, 8)
WINDOW = 30
TOKENS = 120  # four words in a second hold 1.3 tokens each; the decoder's work is as long
WINDOWS = 8
REPEATS = 3
THREADS = 2


def main() -> None:
    options = _options()
    if options.model or options.recording:
        return compare(options.model, options.recording, options.language)
    total = {"machine": platform.machine(), "cpus": os.cpu_count(), "threads": THREADS, "precision": "int8"}
    total |= {"windows": options.windows, "tokens_a_window": TOKENS, "repeats": options.repeats}
    rows: list[dict[str, Any]] = []
    print("model  path        s/window  CPU s/window  times sequential (wall, CPU)  peak over sequential's")
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            for row in measure(size, load(build(size, Path(folder))), options.windows, options.repeats):
                rows.append(row)
                print(
                    f"{row['model']:6} {row['path']:11} {row['seconds']:8.2f} {row['cpu_seconds']:13.2f}"
                    f" {row['speed']:14.2f} {row['cpu_speed']:6.2f} {row['memory_mb']:20.0f} MB",
                    flush=True,
                )
            RESULTS.write_text(
                json.dumps({**total, "load": round(os.getloadavg()[0], 1), "paths": rows}, indent=1) + "\n"
            )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", help="a folder with real CTranslate2 weights, or a hub name")
    parser.add_argument("--recording", type=Path, help="a recording to hear with them")
    parser.add_argument("--language", help="its language; without it, it is detected")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--windows", type=int, default=WINDOWS, help="windows of 30 s that each path reads")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    options = parser.parse_args()
    if bool(options.model) != bool(options.recording):
        parser.error("--model and --recording go together")
    return options


# --- models of real sizes with seeded weights --------------------------------------------------


def build(size: str, folder: Path) -> Path:
    """A Whisper of the published size with seeded weights, converted to int8."""
    prepare()
    import ctranslate2
    import torch
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    width, layers, heads = SIZES[size]
    source, target = folder / f"{size}-source", folder / size
    source.mkdir()
    vocabulary = write_tokenizer(source)
    torch.manual_seed(0)
    config = WhisperConfig(
        vocab_size=vocabulary,
        bos_token_id=50257,
        eos_token_id=50257,
        pad_token_id=50257,
        decoder_start_token_id=50258,
        begin_suppress_tokens=[220, 50257],
        suppress_tokens=[50257],  # no window ends early
        d_model=width,
        encoder_layers=layers,
        decoder_layers=layers,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
    )
    WhisperForConditionalGeneration(config).eval().save_pretrained(source)
    files = ["tokenizer.json", "preprocessor_config.json"]
    ctranslate2.converters.TransformersConverter(str(source), copy_files=files).convert(
        str(target), quantization="int8"
    )
    return target


def write_tokenizer(folder: Path) -> int:
    """A tokenizer laid out as that of Whisper's multilingual models: bytes, made-up words, then the special tokens."""
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: index for index, letter in enumerate(letters)}
    vocabulary |= {f"Ġw{index}": index for index in range(len(vocabulary), 50257)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|startoftranscript|>"]
    special += [f"<|{code}|>" for code in _LANGUAGE_CODES[:99]]
    special += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"]
    special += ["<|notimestamps|>", *(f"<|{index * 0.02:.2f}|>" for index in range(1501))]
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": 80, "sampling_rate": RATE}))
    return tokenizer.get_vocab_size()


def load(folder: Path) -> Any:
    """faster-whisper's model on `THREADS` cores."""
    from faster_whisper import WhisperModel

    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=THREADS, local_files_only=True)


# --- both paths side by side -------------------------------------------------------------------


def measure(size: str, model: Any, windows: int, repeats: int) -> list[dict[str, Any]]:
    """A row for the sequential path and one for each batch size: seconds a window, and the ratio to sequential."""
    samples = _sound(windows)
    paths: dict[str, Callable[[], None]] = {"sequential": lambda: _sequential(model, samples, windows)}
    for batch in (one for one in BATCHES if one <= windows):
        paths[f"batched {batch}"] = lambda batch=batch: _batched(model, samples, windows, batch)
    _sequential(model, samples, 1)  # warm-up
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in paths}
    peaks: dict[str, float] = {}
    for _ in range(repeats):  # in turns, so that a busy minute of the machine hits all paths
        for name, run in paths.items():
            _forget_peak()
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            taken[name].append(((time.perf_counter() - wall) / windows, (time.process_time() - cpu) / windows))
            peaks[name] = max(peaks.get(name, 0.0), _peak())
    return [_row(size, name, taken, peaks) for name in paths]


def _row(size: str, name: str, taken: dict[str, list[tuple[float, float]]], peaks: dict[str, float]) -> dict[str, Any]:
    own, base = taken[name], taken["sequential"]
    return {
        "model": size,
        "path": name,
        "seconds": round(median(wall for wall, _ in own), 3),
        "cpu_seconds": round(median(cpu for _, cpu in own), 3),
        "speed": round(median(a[0] / b[0] for a, b in zip(base, own, strict=True)), 2),
        "cpu_speed": round(median(a[1] / b[1] for a, b in zip(base, own, strict=True)), 2),
        "memory_mb": round(peaks[name] - peaks["sequential"]),
    }


def _sound(windows: int) -> Samples:
    """Speech of that many full windows."""
    samples = np.array(decode(SOURCE).channel(0))
    return np.tile(samples, windows * WINDOW * RATE // len(samples) + 1)[: windows * WINDOW * RATE]


def _sequential(model: Any, samples: Samples, windows: int) -> None:
    """Hear that many windows one after the other. Random word times move them about, so they are counted."""
    encode, count = model.encode, 0

    def counting(features: Any) -> Any:
        nonlocal count
        count += 1
        return encode(features)

    model.encode = counting
    try:
        for _ in model.transcribe(samples, without_timestamps=True, **_fixed(model))[0]:
            if count == windows:
                return
        raise SystemExit(f"only {count} of {windows} windows were read; that is no measurement")
    finally:
        model.encode = encode


def _batched(model: Any, samples: Samples, windows: int, batch: int) -> None:
    """Hear them in batches."""
    from faster_whisper import BatchedInferencePipeline

    clips = [{"start": index * WINDOW, "end": (index + 1) * WINDOW} for index in range(windows)]
    pipeline = BatchedInferencePipeline(model)
    list(pipeline.transcribe(samples, clip_timestamps=clips, batch_size=batch, **_fixed(model))[0])


def _fixed(model: Any) -> dict[str, Any]:
    """What both paths are given: the engine's own options and a fixed number of text tokens a window."""
    timestamps = model.hf_tokenizer.token_to_id("<|0.00|>")
    return {
        "language": "en",
        "beam_size": 5,
        "temperature": 0.0,
        "word_timestamps": True,
        "condition_on_previous_text": False,
        "no_speech_threshold": None,
        "compression_ratio_threshold": None,
        "log_prob_threshold": None,
        "max_new_tokens": TOKENS,
        "suppress_tokens": [-1, *range(timestamps, timestamps + 1501)],  # trained weights give none here
    }


def _forget_peak() -> None:
    """Begin to measure the peak of resident memory anew (Linux; elsewhere it is the process's)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak() -> float:
    """The peak of resident memory, in MB."""
    try:
        line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# --- real weights --------------------------------------------------------------------------------


def compare(model: str, recording: Path, language: str | None) -> None:
    """Print both paths' time on a real recording, how far their words differ and what the guards dropped."""
    import jiwer

    audio = decode(recording)
    channels = [audio.channel(index) for index in range(audio.channels)]
    speech = [find_speech(samples) for samples in channels]
    seconds = sum(end - start for stretches in speech for start, end in stretches)
    print(f"{recording.name}: {audio.channels} channels of {audio.duration:.0f} s, {seconds:.0f} s of speech")
    texts, times = [], []
    for mode in ("sequential", "batched"):
        engine = load_whisper(ListenSettings(whisper_model=model, language=language, whisper_mode=mode))
        engine(channels[0][: WINDOW * RATE])  # warm-up
        began = time.perf_counter()
        heard = [engine(samples, stretches=own) for samples, own in zip(channels, speech, strict=True)]
        times.append(time.perf_counter() - began)
        texts.append(" ".join(word.text for one in heard for word in one.words))
        print(f"{mode}: {times[-1]:.1f} s, {seconds / times[-1]:.1f} times the speech; {_account(heard)}")
    print(f"batched is {times[0] / times[1]:.2f} times as fast as sequential")
    if texts[0]:
        print(f"words that differ between them: {jiwer.wer(texts[0].lower(), texts[1].lower()):.1%}")


def _account(heard: Sequence[Transcript]) -> str:
    """What came out: words, words that only a second listening found, speech without words, what guards dropped."""
    unheard = sum(end - start for one in heard for start, end in one.unheard)
    dropped = "".join(f"; {count} {reason}" for reason, count in total_dropped([one.dropped for one in heard]))
    words, recovered = (sum(counts) for counts in zip(*((len(one.words), one.recovered) for one in heard), strict=True))
    return f"{words} words, {recovered} of them at the second listening; {unheard:.1f} s without words{dropped}"


if __name__ == "__main__":
    main()
