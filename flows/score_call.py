"""One call as a Prefect flow: the pipeline's own function with a task around it. Only paths and small records pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.settings import Engine, ListenSettings, keep_private

keep_private()  # before Prefect is imported: that is when it reads whether it may report usage

from prefect import flow, task  # noqa: E402
from prefect.cache_policies import NO_CACHE  # noqa: E402

from pipeline import score  # noqa: E402
from pipeline.assess.scorecard import to_dict  # noqa: E402
from pipeline.listen.manifest import CallRow, find_sources, read_manifest  # noqa: E402


@task(name="score-call", task_run_name="score {row.call_id}", cache_policy=NO_CACHE)
def score_row(
    row: CallRow,
    out: Path,
    rubric: str | None,
    engine: Engine,
    judge: Path | None = None,
    calibration: Path | None = None,
) -> dict[str, Any]:
    """The scorecard of a manifest row in its public format; its files are in OUT/calls/CALL_ID."""
    settings = ListenSettings(engine=engine)
    card = score.score_call(row, out=out, rubric=rubric, settings=settings, classifier=judge, calibration=calibration)
    return to_dict(card)


@flow(name="score-call")
def score_call(
    source: Path,
    out: Path,
    manifest: Path | None = None,
    rubric: str | None = None,
    engine: Engine = "auto",
    judge: Path | None = None,
    calibration: Path | None = None,
) -> dict[str, Any]:
    """The scorecard of one recording or transcript in its public format, as `pipeline.score.score_call` makes it.

    With a manifest, the row that names `source` tells who is who.
    """
    found = find_sources([source], read_manifest(manifest) if manifest else None)
    return score_row(found.rows[0], out, rubric, engine, judge, calibration)
