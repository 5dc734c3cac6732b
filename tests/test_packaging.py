"""The wheel holds everything that scoring needs, and works from another folder."""

import os
import subprocess
import sys
import zipfile

import pytest

from pipeline import resources

RUN = """
from pipeline import resources, score
from pathlib import Path
assert resources.ROOT.name == "_bundled", resources.ROOT
print(score.score_call(Path("call.vtt"), out="out").rubric_id)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=resources.ROOT, check=True, capture_output=True)
    [made] = folder.glob("*.whl")
    return made


def test_packaging_the_wheel_has_rubrics_models_schemas_and_templates(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "pipeline/_bundled/rubrics/discovery_call.yaml" in names
    assert "pipeline/_bundled/models/behaviours/card.md" in names
    assert "pipeline/scorecard.schema.json" in names
    assert "pipeline/report/templates/scorecard.html" in names
    assert "flows/score_call.py" in names
    assert not any(name.startswith(("tests/", "data/", "benchmarks/")) for name in names)


def test_packaging_the_wheel_scores_a_call_from_another_folder(wheel, tmp_path):
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    (tmp_path / "call.vtt").write_bytes((resources.ROOT / "data" / "samples" / "hardware-demo.vtt").read_bytes())
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "discovery_call"
    assert (tmp_path / "out" / "calls" / "call" / "scorecard.html").is_file()
