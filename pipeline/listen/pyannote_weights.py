"""pyannote.audio's pipeline out of a local folder, the hub's cache or the hub, on a GPU where there is one."""

from __future__ import annotations

import contextlib
import io
import logging
import threading
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.errors import ListeningError
from pipeline.listen.hub import hub_answers, hub_token, identity
from pipeline.listen.pyannote_diarizer import PyannoteDiarizer
from pipeline.settings import ListenSettings
from pipeline.torch_runtime import prepare

_log = logging.getLogger(__name__)
DEFAULT_MODEL = "pyannote/speaker-diarization-community-1"
_CONFIG = "config.yaml"
_CPU_BATCH = 4
"""Chunks at once on a CPU, where more is no faster and takes more memory (benchmarks/diarization_long.py)."""


_loading = threading.Lock()  # while it loads, stdout is turned away, which one thread alone may do; and once is enough


class WeightsMissing(ListeningError):
    """The pipeline's files are neither here nor to be fetched."""


def load_pyannote(settings: ListenSettings) -> PyannoteDiarizer:
    """The diarizer that the settings name, loaded once.

    Raises WeightsMissing where its files cannot be had (in seconds when offline), ListeningError for any other fault.
    """
    name = settings.diarization_model or DEFAULT_MODEL
    token = hub_token(settings)
    prepare()
    folder = _find_folder(name, token)
    with _loading:
        return _load(name, folder, settings.device, token, settings.diarization_seconds)


def pyannote_identity(settings: ListenSettings) -> tuple[str, str]:
    """The name, and the revision or hash, of the weights that `load_pyannote` would load. Raises as it does."""
    name = settings.diarization_model or DEFAULT_MODEL
    prepare()
    return identity(name, _find_folder(name, hub_token(settings)))


def _find_folder(name: str, token: str | None) -> Path:
    """The folder that holds the pipeline's config.yaml and models."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / _CONFIG).is_file():
            raise ListeningError(f"{folder} holds no {_CONFIG}, so it is no pyannote pipeline.")
        return folder
    if folder.is_absolute() or name.startswith((".", "~")) or name.count("/") != 1:
        raise ListeningError(f"{name} is neither a folder nor a hub name like {DEFAULT_MODEL}.")

    from huggingface_hub import snapshot_download

    with contextlib.suppress(OSError, ValueError):
        cached = Path(snapshot_download(name, local_files_only=True))
        if (cached / _CONFIG).is_file():
            return cached
    if not hub_answers():
        raise WeightsMissing(f"{name} is not on this machine and the model hub cannot be reached.")
    try:
        return Path(snapshot_download(name, token=token))
    except (OSError, ValueError) as error:  # the hub's errors derive from OSError
        missing = "" if token else "; no token is set"
        raise WeightsMissing(f"{name} could not be fetched ({type(error).__name__}{missing}).") from error


@lru_cache(maxsize=1)
def _load(name: str, folder: Path, device: str, token: str | None, seconds: float | None) -> PyannoteDiarizer:
    """The pipeline on its device, made ready to run in bounded memory."""
    label, revision = identity(name, folder)
    pipeline = _read(folder, token)
    import torch

    has_gpu = torch.cuda.is_available()
    if device == "cuda" and not has_gpu:
        raise ListeningError("device cuda was asked for, but no CUDA GPU is found here.")
    if has_gpu and device != "cpu":
        pipeline.to(torch.device("cuda"))
    else:
        _limit_batches(pipeline)
    return PyannoteDiarizer(pipeline, model_name=label, revision=revision, seconds=seconds)


def _read(folder: Path, token: str | None) -> Any:
    """The pipeline that the folder's config.yaml describes."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # torchcodec is not there: samples are handed over, no file is read
        from pyannote.audio import Pipeline
        from pyannote.audio.pipelines import clustering
        from pyannote.audio.utils import vbx

        for module in (clustering, vbx):
            vars(module)["print"] = _log.debug  # they print what they doubt to stdout, where results are written
        try:
            pipeline = Pipeline.from_pretrained(folder, token=token)
        except Exception as error:  # a folder from outside: anything its parts raise means that it cannot be used
            raise ListeningError(f"{folder} holds no pipeline that can be loaded ({error}).") from error
    if pipeline is None:
        raise ListeningError(f"{folder} holds no pipeline that can be loaded.")
    if hasattr(pipeline, "legacy"):
        pipeline.legacy = False  # the voices' embeddings are wanted, too
    return pipeline


def _limit_batches(pipeline: Any) -> None:
    """Smaller batches than the pipeline's own where these are made for a GPU."""
    for name in ("segmentation_batch_size", "embedding_batch_size"):
        if hasattr(pipeline, name):
            setattr(pipeline, name, min(getattr(pipeline, name), _CPU_BATCH))
