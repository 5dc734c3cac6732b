"""Where the data files that travel with the code are: rubrics/, models/ and schemas. All path logic is here.

In a wheel they lie in `pipeline/_bundled`; in a checkout or an editable install, beside `pipeline/`.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_BUNDLED = _PACKAGE / "_bundled"
ROOT = _BUNDLED if _BUNDLED.is_dir() else _PACKAGE.parent


def rubrics_folder() -> Path:
    """The folder of the shipped rubrics, one YAML file each."""
    return ROOT / "rubrics"


def model_folder(name: str) -> Path:
    """The folder of a shipped model, e.g. `behaviours`: card, config and small weights."""
    return ROOT / "models" / name


def scorecard_schema() -> Path:
    """The JSON Schema file of scorecard.json."""
    return _PACKAGE / "scorecard.schema.json"


def rubric_schema() -> Path:
    """The JSON Schema file of rubric YAML files."""
    return _PACKAGE / "rubric.schema.json"
