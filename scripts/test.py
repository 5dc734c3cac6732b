"""Set up and run everything that is checked before a change lands: `python3.11 scripts/test.py`.

Style, types and import directions first, then pytest in two processes, whose summary is the last thing printed.
Arguments go to pytest.
"""

import os
import subprocess
import sys

from environment import BIN, PYTHON, ROOT, ensure_browser, prepare

CHECKS = (
    [BIN / "ruff", "check", "."],
    [BIN / "ruff", "format", "--check", "."],
    [BIN / "mypy"],
    [BIN / "lint-imports"],
)


def main() -> int:
    """0 where every check and every test passed."""
    prepare(dev=True)
    ensure_browser()
    failed = [check[0].name for check in CHECKS if subprocess.run(check, cwd=ROOT, check=False).returncode]
    if failed:
        print(f"failed before the tests: {', '.join(failed)}", flush=True)
    # two test processes whose libraries start two threads each would fight for two cores
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [PYTHON, "-m", "pytest", "-n", "2", *sys.argv[1:]]
    tests = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    return tests or bool(failed)


if __name__ == "__main__":
    sys.exit(main())
