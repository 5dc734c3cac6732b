"""The Prefect flow gives what the plain function gives, with usage reports off."""

import json
import os
import subprocess
import sys

from flows.score_call import score_call
from pipeline import resources, score

VTT = resources.ROOT / "data" / "samples" / "hardware-demo.vtt"


def test_flow_gives_the_scorecard_of_the_plain_function(harness, tmp_path):
    manifest = VTT.parent / "calls.csv"
    card = score_call(VTT, tmp_path / "flow", manifest=manifest)
    assert card["call_id"] == "hardware-demo"
    assert card["call_type"] == "demo"
    written = (tmp_path / "flow" / "calls" / "hardware-demo" / "scorecard.json").read_text(encoding="utf-8")
    assert json.loads(written) == card


def test_flow_server_reports_no_usage():
    code = "import flows.score_call; from prefect.settings import get_current_settings as s; "
    code += "print(s().server.analytics_enabled)"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT", "DO_NOT"))}
    said = subprocess.check_output([sys.executable, "-c", code], env=environment, cwd=resources.ROOT, text=True)
    assert said.strip() == "False"


def test_flow_without_its_decorators_is_the_plain_function(tmp_path):
    card = score_call.fn.__globals__["score_row"].fn(score.default_row(VTT), tmp_path, rubric="demo", engine="sphinx")
    assert card["rubric"]["id"] == "demo"
    assert (tmp_path / "calls" / "hardware-demo" / "scorecard.html").is_file()
