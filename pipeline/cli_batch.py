"""The batch commands of `ridealong`: parse, call the function of the same name, print."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline import cli_options as options


class Runner(StrEnum):
    """Who does the work."""

    local = "local"
    prefect = "prefect"
    dask = "dask"
    ray = "ray"


Out = Annotated[str, typer.Argument(help="Where a batch wrote its scorecards: what it had as --out.")]
Ledger = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        help="The ledger's database: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.",
        show_default="RIDEALONG_LEDGER, else a file in OUT",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON lines for machines.")]


def add_to(app: typer.Typer) -> None:
    """Give the command line its batch commands."""
    for command in (batch, status, failures, retry, export, forget):
        app.command()(command)


def batch(
    source: Annotated[
        str, typer.Argument(help="Where the recordings are: a folder, s3://BUCKET/PREFIX, gs://…, az://… or file://….")
    ],
    out: Annotated[str, typer.Option("--out", help="Where the scorecards go: a folder or a bucket's URL.")],
    manifest: Annotated[
        str | None,
        typer.Option("--manifest", help="calls.csv, a file or a URL: one row a call, by the recording's key."),
    ] = None,
    ledger: Ledger = None,
    rubric: options.Rubric = None,
    judge: options.Judge = None,
    calibration: options.Calibration = None,
    engine: options.Engine = options.EngineName.auto,
    whisper_model: options.WhisperModel = None,
    diarization_model: options.DiarizationModel = None,
    device: options.OnDevice = options.Device.auto,
    language: options.Language = None,
    speakers: options.Speakers = None,
    vocabulary: options.Vocabulary = None,
    whisper_mode: options.Decoding = options.WhisperMode.auto,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, help="Processes that work at once.", show_default="what this machine carries"),
    ] = None,
    tries: Annotated[
        int, typer.Option("--tries", min=1, help="Failures after which a call is set aside, in quarantine.")
    ] = 3,
    call_timeout: Annotated[
        float, typer.Option("--call-timeout", min=1, help="Seconds after which a call is taken to hang, and failed.")
    ] = 14400,
    runner: Annotated[
        Runner,
        typer.Option(
            "--runner", help="Who works: processes here (local), Prefect with them, or a Dask or Ray cluster."
        ),
    ] = Runner.local,
    address: Annotated[
        str | None, typer.Option("--address", help="The Dask or Ray cluster.", show_default="one on this machine")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done and why, and write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Score a bucket or folder of recordings; run it again, and it does what is new, changed or left."""
    from pipeline import terminal_batch

    settings = options.listen_settings(
        engine=engine,
        whisper_model=whisper_model,
        diarization_model=diarization_model,
        device=device,
        language=language,
        speakers=speakers,
        vocabulary=vocabulary,
        whisper_mode=whisper_mode,
    )
    ended = terminal_batch.batch(
        source,
        out,
        manifest=manifest,
        ledger=ledger,
        rubric=rubric,
        settings=settings,
        judge=judge,
        calibration=calibration,
        workers=workers,
        tries=tries,
        call_timeout=call_timeout,
        runner=runner.value,
        address=address,
        dry_run=dry_run,
        as_json=as_json,
    )
    raise typer.Exit(ended)


def status(
    out: Out,
    ledger: Ledger = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every two seconds, until the batch ends.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how far a batch is, from any terminal: calls by state, who works on them, speed, time left, failures."""
    from pipeline import terminal_books

    terminal_books.status(out, ledger=ledger, watch=watch, as_json=as_json)


def failures(
    out: Out,
    ledger: Ledger = None,
    csv_file: Annotated[Path | None, typer.Option("--out", help="Write them to this CSV file.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the calls that failed and those in quarantine, each with its reason."""
    from pipeline import terminal_books

    terminal_books.failures(out, ledger=ledger, csv_file=csv_file, as_json=as_json)


def retry(
    out: Out,
    call: Annotated[list[str] | None, typer.Option("--call", help="A call's id; again for each.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All calls that failed or are in quarantine.")] = False,
    missing: Annotated[
        bool, typer.Option("--missing", help="All calls that were scored and whose scorecards are gone from OUT.")
    ] = False,
    ledger: Ledger = None,
) -> None:
    """Let failed calls and those in quarantine wait again; the next batch tries them."""
    from pipeline import terminal_books

    terminal_books.retry(out, calls=call or (), every=every, missing=missing, ledger=ledger)


def export(
    out: Out,
    to: Annotated[Path, typer.Option("--to", help="The file: its ending .parquet, .csv or .jsonl says the format.")],
    as_json: AsJson = False,
) -> None:
    """Write all scorecards as one table, for a spreadsheet or a data warehouse."""
    from pipeline import terminal_books

    unreadable = terminal_books.export(out, to, as_json=as_json)
    raise typer.Exit(1 if unreadable else 0)


def forget(
    out: Out,
    call: Annotated[list[str] | None, typer.Option("--call", help="A call's id; again for each.")] = None,
    person: Annotated[
        str | None, typer.Option("--person", help="A whole name: every call goes in which it stands.")
    ] = None,
    before: Annotated[
        str | None, typer.Option("--before", help="A date as 2026-01-31: every call goes that was held before it.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go and why, and remove nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking.")] = False,
    ledger: Ledger = None,
    as_json: AsJson = False,
) -> None:
    """Remove all that is stored of calls, prove it by searching, and keep later batches from bringing them back."""
    from pipeline import terminal_books

    found = terminal_books.forget(
        out, calls=call or (), person=person, before=before, ledger=ledger, dry_run=dry_run, yes=yes, as_json=as_json
    )
    raise typer.Exit(found)
