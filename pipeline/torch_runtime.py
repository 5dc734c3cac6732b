"""The one door to torch, transformers and pyannote.audio: call `prepare()` before importing any of them.

torchaudio 2.11 (the newest) has a compiled part that does not load beside a CPU build of torch 2.13, and then neither
`import pyannote.audio` nor `transformers.AutoModel` works. Both need only torchaudio's pure-Python parts (fbank,
resample), so where the compiled part fails to load, a module without it takes its place.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import sys
import threading
import types
from collections.abc import Callable
from typing import Any

from pipeline.settings import keep_private

_log = logging.getLogger(__name__)
_EXTENSION = "torchaudio._extension"
_preparing = threading.Lock()  # a thread must not find the package half imported by another


def prepare() -> None:
    """Make torch, transformers and pyannote.audio importable, with their telemetry off. Cheap when repeated."""
    keep_private()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # torch's idle threads must not spin beside a speech engine
    with _preparing:
        _prepare_torchaudio()


def _prepare_torchaudio() -> None:
    if _EXTENSION in sys.modules or importlib.util.find_spec("torchaudio") is None:
        return
    try:
        importlib.import_module("torchaudio")
    except (OSError, RuntimeError, ImportError) as error:
        _log.debug("torchaudio's compiled part does not load (%s); using its pure-Python parts", error)
        for name in [name for name in sys.modules if name == "torchaudio" or name.startswith("torchaudio.")]:
            del sys.modules[name]  # the half-imported package must not be found again
        sys.modules[_EXTENSION] = _extension_without_compiled_part()


def _extension_without_compiled_part() -> types.ModuleType:
    """A stand-in for `torchaudio._extension` that says honestly that nothing compiled is there."""
    module = types.ModuleType(_EXTENSION)

    def fail_if_no_align(function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    vars(module).update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False, _IS_ALIGN_AVAILABLE=False, fail_if_no_align=fail_if_no_align
    )
    return module
