"""Behind the one door, torch's users import and nothing is reported, whatever torchaudio's compiled part does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.settings import OPT_OUTS

BROKEN = """
import importlib.abc, sys
class Broken(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "torchaudio._extension" or name.startswith("torchaudio.lib"):
            raise OSError("undefined symbol: made to fail")
sys.meta_path.insert(0, Broken())
"""

IMPORTS = """
import warnings
warnings.simplefilter("ignore")
from pipeline.torch_runtime import prepare
prepare()
prepare()
from transformers import AutoModel
from pyannote.audio import Pipeline
import torch, torchaudio.compliance.kaldi as kaldi
print(kaldi.fbank(torch.ones(1, 16000)).shape[1], Pipeline.__name__, AutoModel.__name__)
"""


def run(script: str, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name not in OPT_OUTS}
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
        env={**clean, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_pyannote_and_automodel_import_where_the_compiled_part_does_not_load() -> None:
    assert run(BROKEN + IMPORTS).splitlines()[-1] == "23 Pipeline AutoModel"


@pytest.mark.parametrize(("chosen", "expected"), [({}, "0"), ({"PYANNOTE_METRICS_ENABLED": "1"}, "1")])
def test_reporting_is_off_unless_the_user_chose_it(chosen: dict[str, str], expected: str) -> None:
    script = (
        "import os\n"
        "from pipeline.settings import OPT_OUTS, keep_private\n"
        "keep_private()\n"
        "is_set = OPT_OUTS.keys() <= os.environ.keys()\n"
        "print(os.environ['PYANNOTE_METRICS_ENABLED'], os.environ['DO_NOT_TRACK'], is_set)"
    )
    assert run(script, **chosen) == f"{expected} 1 True"


def test_listening_modules_import_without_any_heavy_package() -> None:
    script = (
        "import sys\n"
        "from pipeline.listen import clips, recording, sphinx, whisper\n"
        "heavy = {'torch', 'torchaudio', 'transformers', 'pyannote', 'faster_whisper', 'pocketsphinx', 'av', 'pydub'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert run(script) == "[]"
