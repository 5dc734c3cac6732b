"""Set up and run the main job on data/samples/: `python3.11 scripts/demo.py`. Says which page to open."""

import subprocess
import sys

from environment import BIN, ROOT, prepare

OUT = ROOT / "out"


def main() -> int:
    """Exit status of `ridealong score` on the samples."""
    prepare(dev=False)
    samples = ROOT / "data" / "samples"
    command = [BIN / "ridealong", "score", samples, "--manifest", samples / "calls.csv", "--out", OUT]
    return subprocess.run([*command, "--engine", "sphinx"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
