"""The project's own environment: `.venv`, made with pip through constraints.txt. Standard library only.

`prepare()` is cheap when nothing has changed: a stamp in `.venv` holds the hash of what was installed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")


def prepare(*, dev: bool) -> None:
    """Make `.venv` hold the project and what it needs; with `dev`, the tools of the tests as well."""
    if sys.version_info[:2] != (3, 11):
        sys.exit(f"ridealong needs Python 3.11, this is {sys.version.split()[0]}: run it with python3.11")
    wanted = _fingerprint(dev)
    stamp = VENV / "installed"
    there = stamp.read_text().strip() if stamp.is_file() else ""
    if there in {wanted, _fingerprint(True)}:
        return
    print(f"Setting up {VENV} (once; a few minutes)", flush=True)
    if there != _fingerprint(False):  # nothing there, or made for other versions: start afresh
        venv.create(VENV, with_pip=True, clear=True)
    constraints = ["--quiet", "--disable-pip-version-check", "--constraint", str(ROOT / "constraints.txt")]
    _pip("install", *constraints, "--upgrade", "pip")
    groups = ["--group", f"{ROOT / 'pyproject.toml'}:dev"] if dev else []
    # what is imported is compiled when it is, which is a small part of all
    _pip("install", *constraints, "--no-compile", "--editable", str(ROOT), *groups)
    stamp.write_text(wanted + "\n")


def ensure_browser() -> None:
    """Install Chromium for the browser tests where there is none: Debian's package, else Playwright's own build."""
    if any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-q"], env=environment, check=False, stdout=subprocess.DEVNULL)
        install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"]
        subprocess.run(install, env=environment, check=False, stdout=subprocess.DEVNULL)
    else:
        subprocess.run([PYTHON, "-m", "playwright", "install", "chromium"], check=False)


def _fingerprint(dev: bool) -> str:
    parts = [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256(b"".join([*parts, b"dev" if dev else b""])).hexdigest()


def _pip(*arguments: str) -> None:
    done = subprocess.run([PYTHON, "-m", "pip", *arguments], check=False)
    if done.returncode:
        sys.exit(f"pip could not install the project (exit {done.returncode}); its message above says why")
