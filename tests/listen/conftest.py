"""What the listening tests share: real speech, and tiny seeded checkpoints of the real Whisper and pyannote classes."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from pipeline.listen.captions import Imported, read_transcript
from pipeline.listen.sphinx import SphinxTranscriber
from pipeline.torch_runtime import prepare

AUDIO = Path(__file__).with_name("audio")


@pytest.fixture(scope="session")
def phone_call() -> Path:
    """30 s of a real two-party phone call on one channel; it travels with pyannote.audio."""
    import importlib.util

    spec = importlib.util.find_spec("pyannote")
    assert spec is not None and spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations))) / "audio" / "sample" / "sample.wav"


@pytest.fixture(scope="session")
def phone_clip(phone_call: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds of it in which both speak."""
    with wave.open(str(phone_call)) as source:
        rate = source.getframerate()
        source.setpos(int(6.5 * rate))
        pcm = source.readframes(10 * rate)
    clip = tmp_path_factory.mktemp("audio") / "clip.wav"
    with wave.open(str(clip), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(rate)
        target.writeframes(pcm)
    return clip


@pytest.fixture(scope="session")
def sphinx():
    """The embedded engine with two workers."""
    engine = SphinxTranscriber(2)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def whisper_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Whisper of one tiny layer with seeded weights, converted by CTranslate2 as any real one is; English only."""
    return _seeded_whisper(tmp_path_factory, "whisper-seeded")


@pytest.fixture(scope="session")
def multilingual_whisper_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with languages, and with the empty token by which CTranslate2 knows multilingual vocabularies."""
    return _seeded_whisper(tmp_path_factory, "whisper-multilingual", multilingual=True)


def _seeded_whisper(factory: pytest.TempPathFactory, name: str, *, multilingual: bool = False) -> Path:
    prepare()
    import ctranslate2
    import torch
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    source = factory.mktemp("whisper-source")
    size, languages = _write_whisper_tokenizer(source, multilingual)
    torch.manual_seed(0)
    config = WhisperConfig(
        vocab_size=size,
        bos_token_id=1000,
        eos_token_id=1000,
        pad_token_id=1000,
        decoder_start_token_id=1001,
        begin_suppress_tokens=[220, 1000],
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        num_mel_bins=80,
        max_source_positions=1500,
        max_target_positions=448,
    )
    WhisperForConditionalGeneration(config).eval().save_pretrained(source)
    folder = factory.mktemp("models") / name
    converter = ctranslate2.converters.TransformersConverter(
        str(source), copy_files=["tokenizer.json", "preprocessor_config.json"]
    )
    converter.convert(str(folder))
    config_file = folder / "config.json"  # the converter finds languages in published generation settings only
    config_file.write_text(json.dumps({**json.loads(config_file.read_text()), "lang_ids": languages}))
    return folder


def _write_whisper_tokenizer(folder: Path, multilingual: bool) -> tuple[int, list[int]]:
    """A tokenizer laid out as Whisper's: bytes, made-up words, then special tokens. Its size, and languages' tokens."""
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: index for index, letter in enumerate(letters)}
    for index in range(len(vocabulary), 1000):
        vocabulary["" if multilingual and index == 999 else f"Ġword{index}"] = index
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    languages = [f"<|{code}|>" for code in _LANGUAGE_CODES[:99]] if multilingual else []
    special = ["<|endoftext|>", "<|startoftranscript|>", *languages]
    special += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"]
    special += ["<|notimestamps|>", *(f"<|{index * 0.02:.2f}|>" for index in range(1501))]
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": 80, "sampling_rate": 16000}))
    return tokenizer.get_vocab_size(), [tokenizer.token_to_id(token) for token in languages]


@pytest.fixture(scope="session")
def pyannote_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A diarization pipeline in a folder, laid out as the hub's: tiny seeded PyanNet, WeSpeakerResNet34 and PLDA."""
    return write_pyannote(tmp_path_factory.mktemp("models") / "pyannote-seeded")


def write_pyannote(folder: Path, *, chunk: float = 2.5, step: float = 1.0) -> Path:
    """The folder with the seeded pipeline in it. It looks at `chunk` seconds at once, a share `step` of that apart."""
    prepare()
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchcodec is not there; nothing reads files through pyannote
        import torch
        from pyannote.audio.core.task import Problem, Resolution, Specifications
        from pyannote.audio.models.embedding import WeSpeakerResNet34
        from pyannote.audio.models.segmentation import PyanNet

    torch.manual_seed(9)  # a seed whose voices are alone often enough to be embedded and clustered
    segmentation = PyanNet(
        sincnet={"stride": 10}, lstm={"hidden_size": 8, "num_layers": 1}, linear={"hidden_size": 8, "num_layers": 1}
    )
    segmentation.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=chunk,
        classes=["speaker#1", "speaker#2", "speaker#3"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    segmentation.build()
    with torch.no_grad():  # untrained layers hardly move: make them answer to the sound
        segmentation.classifier.weight *= 40
        segmentation.classifier.bias.zero_()
    _save_model(segmentation, folder / "segmentation")
    embedding = WeSpeakerResNet34()
    embedding.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=chunk, classes=["a", "b"]
    )
    _save_model(embedding, folder / "embedding")
    _save_plda(folder / "plda", embedding.dimension)
    (folder / "config.yaml").write_text(
        f"""
dependencies:
  pyannote.audio: 4.0.0
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params:
    clustering: VBxClustering
    segmentation: $model/segmentation
    segmentation_batch_size: 8
    embedding: $model/embedding
    embedding_batch_size: 8
    embedding_exclude_overlap: true
    plda: $model/plda
    segmentation_step: {step}
params:
  clustering:
    threshold: 0.6
    Fa: 0.07
    Fb: 0.8
  segmentation:
    min_duration_off: 0.0
"""
    )
    return folder


def _save_model(model, folder: Path) -> None:
    """The checkpoint as pyannote's own trainer writes it."""
    import torch
    from lightning import __version__

    folder.mkdir(parents=True)
    checkpoint = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": __version__,
    }
    model.on_save_checkpoint(checkpoint)
    torch.save(checkpoint, folder / "pytorch_model.bin")


def _save_plda(folder: Path, dimension: int) -> None:
    """A whitening, a projection and a PLDA with seeded numbers of the right shapes."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(0)
    small = 128
    np.savez(
        folder / "xvec_transform.npz",
        mean1=np.zeros(dimension),
        mean2=np.zeros(small),
        lda=np.linalg.qr(draw.standard_normal((dimension, small)))[0],
    )
    np.savez(
        folder / "plda.npz",
        mu=np.zeros(small),
        tr=np.eye(small) + 0.01 * draw.standard_normal((small, small)),
        psi=np.linspace(3.0, 0.1, small),
    )


@pytest.fixture(scope="session")
def two_channels() -> Path:
    """14 s of two voices with a channel each; see audio/README.md."""
    return AUDIO / "two_channels.flac"


@pytest.fixture
def read(tmp_path: Path):
    """Write a transcript of this name and content (JSON where it is no text), and read it."""

    def write_and_read(name: str, content: object) -> Imported:
        path = tmp_path / name
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_transcript(path)

    return write_and_read
