"""The whole training on a corner of the corpus: it writes a model that loads and judges, and the same one twice."""

import json
from pathlib import Path

import pytest

from pipeline.assess.behaviours import load_classifier
from pipeline.calibrate.samples import Settings
from pipeline.calibrate.train import train
from pipeline.records import BEHAVIOURS, FURTHER_BEHAVIOURS
from tests.builders import untimed_call
from tests.own_encoder import corner_of_corpus


@pytest.fixture(scope="module")
def corner(tmp_path_factory) -> Path:
    return corner_of_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.mark.slow
def test_training_writes_a_model_that_judges_and_does_so_twice_alike(corner: Path, tmp_path: Path) -> None:
    settings = Settings(variants=1, epochs=1)
    report = train(corner, tmp_path / "a", settings=settings)
    train(corner, tmp_path / "b", settings=settings)
    assert report["clean"]["behaviours"]["agenda"]["n"] == 4
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == [
        "agreement.json",
        "card.md",
        "config.yaml",
        "coverage.svg",
        "held_out.jsonl",
        "levels.json",
        "sides.safetensors",
        "weights.safetensors",
    ]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    findings = load_classifier(tmp_path / "a")(untimed_call(("R", "Hello."), ("C", "Hello.")))
    assert tuple(one.behaviour for one in findings) == BEHAVIOURS + FURTHER_BEHAVIOURS
    rows = [json.loads(line) for line in (tmp_path / "a" / "held_out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["call_id"] for row in rows] == ["t65", "t68", "t81", "t97"]
