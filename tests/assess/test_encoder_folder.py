"""Another encoder by configuration: heads trained on it judge with it, and with no other."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from pipeline.assess.behaviours import load_classifier
from pipeline.assess.encoder import batch_of
from pipeline.assess.encoder_folder import PACKAGED, described, encoder_hash, open_encoder, trained_on
from pipeline.assess.judges import load_judge
from pipeline.assess.passages import Line
from pipeline.assess.reading import cut
from pipeline.calibrate.train import train
from pipeline.errors import UsageError
from pipeline.records import BEHAVIOURS
from pipeline.resources import model_folder
from tests.builders import untimed_call
from tests.own_encoder import own_encoder, trained_on_own_encoder

CALL = untimed_call(("R", "Then I'll send the agreement today and we start on Tuesday."), ("C", "Tuesday is good."))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folders of an encoder and of heads trained on it."""
    return trained_on_own_encoder(tmp_path_factory.getbasetemp())


@pytest.fixture
def encoder(trained: tuple[Path, Path], tmp_path: Path) -> Path:
    """A copy of the encoder, to be spoilt."""
    return shutil.copytree(trained[0], tmp_path / "encoder")


@pytest.fixture
def heads(trained: tuple[Path, Path], tmp_path: Path) -> Path:
    """A copy of the heads, to be spoilt."""
    return shutil.copytree(trained[1], tmp_path / "heads")


def judged_with(place: Path, encoder: str | None) -> object:
    line = "" if encoder is None else f"encoder: {encoder}\n"
    (place / "judge.yaml").write_text(f"kind: learned\nfolder: heads\n{line}", encoding="utf-8")
    return load_judge(place / "judge.yaml")


def with_config(folder: Path, **changes: object) -> None:
    """Change fields of the encoder's config.json."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def test_size_comes_from_the_network_itself(trained: tuple[Path, Path]) -> None:
    encoder = open_encoder(trained[0])
    assert (encoder.width, encoder.layers, encoder.positions) == (32, 2, 512)
    made = cut(encoder, [Line(True, "crate " * 900), Line(False, "I see.")])
    batches = [batch_of(encoder, made.lines, made.pieces, window) for window in made.windows]
    assert encoder.states(batches[0]).shape[2] == 32
    assert all(batch.ids.shape[1] <= 512 for batch in batches)
    assert encoder.vectors(["Hello there."], 4).shape == (1, 32)


def test_a_window_is_cut_to_the_positions_of_the_network(tmp_path: Path) -> None:
    encoder = open_encoder(own_encoder(tmp_path / "short", positions=420))
    made = cut(encoder, [Line(seller, "Q7 " * 94) for seller in (True, False) * 4])
    sizes = [batch_of(encoder, made.lines, made.pieces, window).ids.shape[1] for window in made.windows]
    assert max(sizes) == 419


def test_without_a_folder_it_is_the_packaged_one() -> None:
    encoder = open_encoder(None)
    assert (encoder.width, encoder.layers, encoder.positions, encoder.folder) == (384, 6, 512, None)
    assert described(None) == PACKAGED
    config = yaml.safe_load((model_folder("behaviours") / "config.yaml").read_text(encoding="utf-8"))
    assert config["encoder"] == PACKAGED
    assert trained_on(model_folder("behaviours"), None) is None


def test_training_names_the_encoder_and_its_hash(trained: tuple[Path, Path]) -> None:
    encoder, heads = trained
    config = yaml.safe_load((heads / "config.yaml").read_text(encoding="utf-8"))
    assert config["encoder"] == {"name": "tiny-bert", "sha256": encoder_hash(encoder)}
    assert "tiny-bert" in (heads / "card.md").read_text(encoding="utf-8")
    assert str(encoder.parent) not in (heads / "config.yaml").read_text(encoding="utf-8")


def test_a_judges_file_names_heads_and_encoder(encoder: Path, heads: Path, tmp_path: Path) -> None:
    judge = judged_with(tmp_path, "encoder")
    assert [finding.behaviour for finding in judge(CALL)][:5] == list(BEHAVIOURS)
    assert judge.encoder.folder == encoder
    assert judge.version == load_classifier(heads, encoder).version


def test_the_hash_is_the_content_whatever_the_folder_is_called(encoder: Path, trained: tuple[Path, Path]) -> None:
    assert encoder_hash(encoder) == encoder_hash(trained[0])
    (encoder / "README.md").write_text("of no weight", encoding="utf-8")
    assert encoder_hash(encoder) == encoder_hash(trained[0])


def test_the_version_tells_encoders_apart(encoder: Path, heads: Path) -> None:
    """The same heads under another encoder of the same shape are another classifier."""
    before = load_classifier(heads, encoder).version
    other = own_encoder(encoder.parent / "other", seed=2)
    config = yaml.safe_load((heads / "config.yaml").read_text(encoding="utf-8"))
    (heads / "config.yaml").write_text(yaml.safe_dump(config | {"encoder": described(other)}), encoding="utf-8")
    assert load_classifier(heads, other).version != before


@pytest.mark.parametrize("spoilt", ["weights", "vocabulary"])
def test_an_encoder_with_another_hash_is_refused(encoder: Path, heads: Path, tmp_path: Path, spoilt: str) -> None:
    if spoilt == "weights":
        shutil.copy(own_encoder(tmp_path / "other", seed=2) / "model.safetensors", encoder)
    else:
        (encoder / "vocab.txt").write_text("seller\nbuyer\n", encoding="utf-8")
    with pytest.raises(
        UsageError, match=r"not the encoder that the heads .* were trained on: .* name the right folder"
    ):
        judged_with(tmp_path, "encoder")


def test_heads_on_another_encoder_need_it_named(heads: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"trained on the encoder 'tiny-bert'.*write encoder: with its folder"):
        judged_with(tmp_path, None)
    with pytest.raises(UsageError, match="nowhere: there is no such encoder folder; give the folder of a BERT encoder"):
        judged_with(tmp_path, "nowhere")


def test_heads_on_the_packaged_encoder_take_no_other(encoder: Path, heads: Path, tmp_path: Path) -> None:
    (heads / "config.yaml").write_text(yaml.safe_dump({"encoder": PACKAGED}), encoding="utf-8")
    with pytest.raises(UsageError, match=r"trained on the packaged encoder, not on .*encoder; leave out encoder:"):
        judged_with(tmp_path, "encoder")


@pytest.mark.parametrize("text", ["a: [", "- 1", "name: heads", "encoder: mine", "encoder: {name: mine, sha256: 5}"])
def test_a_config_that_does_not_say_the_encoder_is_refused(heads: Path, tmp_path: Path, text: str) -> None:
    (heads / "config.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"config\.yaml: .*estore it, or train again"):
        judged_with(tmp_path, None)


def test_heads_of_another_width_are_refused(heads: Path, tmp_path: Path) -> None:
    wide = own_encoder(tmp_path / "encoder", width=48)
    config = yaml.safe_load((heads / "config.yaml").read_text(encoding="utf-8"))
    (heads / "config.yaml").write_text(yaml.safe_dump(config | {"encoder": described(wide)}), encoding="utf-8")
    said = r"heads\.attend in weights\.safetensors is \(32, \d+\); on an encoder of 2 layers, 48 wide, it is \(48, "
    with pytest.raises(UsageError, match=said):
        judged_with(tmp_path, "encoder")


def test_layers_that_the_encoder_lacks_are_refused(heads: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(heads / "weights.safetensors")
    moved = {name.replace("encoder.encoder.layer.1.", "encoder.encoder.layer.7."): t for name, t in tensors.items()}
    assert moved.keys() != tensors.keys()
    save_file(moved, heads / "weights.safetensors")
    shutil.copytree(own_encoder(tmp_path / "made"), tmp_path / "encoder")
    with pytest.raises(UsageError, match=r"layer\.7\..* of 2 layers, 32 wide, it is unknown"):
        judged_with(tmp_path, "encoder")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model_type": "roberta"}, "model_type 'roberta', where only encoders of model_type 'bert' can be read"),
        ({"is_decoder": True}, "a BERT decoder"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type must be 'absolute'"),
        ({"max_position_embeddings": 128}, "max_position_embeddings is 128; windows of a call need at least 403"),
        ({"num_hidden_layers": 3}, "the encoder's weights lack encoder.layer.2."),
        ({"hidden_size": 64}, "no usable encoder"),
        ({"vocab_size": 40}, "no usable encoder"),
    ],
)
def test_a_network_that_cannot_read_a_call_is_refused(encoder: Path, changes: dict, said: str) -> None:
    with_config(encoder, **changes)
    with pytest.raises(UsageError, match=said):
        open_encoder(encoder)


def test_a_folder_without_a_network_is_refused(encoder: Path) -> None:
    (encoder / "config.json").write_text("[]", encoding="utf-8")
    with pytest.raises(UsageError, match="model_type None"):
        open_encoder(encoder)
    (encoder / "config.json").unlink()
    with pytest.raises(UsageError, match=r"config\.json: cannot be read as JSON"):
        open_encoder(encoder)


def test_no_pickle_is_read_and_broken_weights_are_told(encoder: Path) -> None:
    (encoder / "model.safetensors").write_bytes(b"\0" * 64)
    with pytest.raises(UsageError, match="no usable encoder"):
        open_encoder(encoder)
    (encoder / "model.safetensors").rename(encoder / "pytorch_model.bin")
    with pytest.raises(UsageError, match=r"holds no \*\.safetensors, the only kind of weights that is read"):
        open_encoder(encoder)


def test_no_code_of_the_folder_is_run(encoder: Path) -> None:
    (encoder / "own.py").write_text(f"open({str(encoder / 'ran')!r}, 'w').close()\n", encoding="utf-8")
    with_config(encoder, auto_map={"AutoConfig": "own.Config", "AutoModel": "own.Model"})
    path = encoder / "tokenizer_config.json"
    read = json.loads(path.read_text(encoding="utf-8")) | {"auto_map": {"AutoTokenizer": [None, "own.Tokenizer"]}}
    path.write_text(json.dumps(read), encoding="utf-8")
    assert open_encoder(encoder).width == 32
    assert not (encoder / "ran").exists()


@pytest.mark.parametrize("known", [("seller",), ("buyer",), ()])
def test_the_side_markers_must_be_tokens(tmp_path: Path, known: tuple[str, ...]) -> None:
    missing = " and ".join(word for word in ("seller", "buyer") if word not in known)
    with pytest.raises(UsageError, match=f"{missing} must be single tokens of the vocabulary"):
        open_encoder(own_encoder(tmp_path / "mute", markers=known))


def test_a_broken_tokenizer_is_told(encoder: Path) -> None:
    (encoder / "tokenizer.json").write_text('{"model": 3}', encoding="utf-8")
    with pytest.raises(UsageError, match="no usable encoder"):
        open_encoder(encoder)


def test_training_refuses_before_it_reads_the_corpus(trained: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such encoder folder"):
        train(tmp_path / "none", tmp_path / "out", encoder_folder=tmp_path / "nowhere")
    with pytest.raises(UsageError, match="give heads on another one their own --out"):
        train(tmp_path / "none", model_folder("behaviours"), encoder_folder=trained[0])
