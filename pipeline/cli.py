"""The command `ridealong`. A command parses, calls the function of the same name, prints, and exits 0 (done),
1 (some calls failed) or 2 (wrong usage). Results go to stdout, the rest to stderr. Heavy imports wait for the command.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline import __version__, cli_batch
from pipeline import cli_options as options
from pipeline.errors import RidealongError, UsageError
from pipeline.settings import keep_private

app = typer.Typer(
    name="ridealong",
    help="Rides along on every sales call: recordings in, scorecards with evidence out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line; a fault that ridealong knows is told in its own words, without a traceback."""
    keep_private()
    try:
        app()
    except UsageError as error:
        _stop(error, 2)
    except RidealongError as error:
        _stop(error, 1)
    except KeyboardInterrupt:
        _stop("stopped; the calls that were finished are kept", 130)


def _stop(message: object, status: int) -> None:
    print(f"ridealong: {message}", file=sys.stderr)
    sys.exit(status)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"ridealong {__version__}")
        raise typer.Exit


@app.callback()
def ridealong(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more about what happens (no words).")] = False,
) -> None:
    """Rides along on every sales call: recordings in, scorecards with evidence out."""
    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, format="%(name)s: %(message)s")


@app.command()
def score(
    sources: Annotated[list[Path], typer.Argument(help="Recordings, transcripts, or folders of them.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the scorecards.")],
    manifest: Annotated[Path | None, typer.Option("--manifest", help="calls.csv: one row a call.")] = None,
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON lines.")] = False,
) -> None:
    """Score recordings: one scorecard each, in OUT/calls/CALL_ID/."""
    from pipeline import terminal

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
    failed = terminal.score(
        sources,
        out,
        manifest=manifest,
        rubric=rubric,
        settings=settings,
        judge=judge,
        calibration=calibration,
        as_json=as_json,
    )
    raise typer.Exit(1 if failed else 0)


@app.command()
def calibrate(
    ratings: Annotated[
        Path, typer.Argument(help="ratings.csv with the columns call_id, rater, behaviour and level (0-3, or empty).")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for calibration.json and calibration.html.")],
    scores: Annotated[
        Path | None,
        typer.Option("--scores", help="Folder of scorecards, as score --out wrote it.", show_default="raters alone"),
    ] = None,
    rubric: Annotated[
        str | None,
        typer.Option("--rubric", help="The rubric that judged them: a name or a YAML file.", show_default="by its id"),
    ] = None,
    target_error: Annotated[
        float,
        typer.Option("--target-error", help="Share of given levels that may be two or more off, for max_risk."),
    ] = 0.05,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON lines.")] = False,
) -> None:
    """Compare raters and machine, and fit a rubric's thresholds to the raters: see docs/calibration.md."""
    from pipeline import terminal

    terminal.calibrate(ratings, out, scores=scores, rubric=rubric, target_error=target_error, as_json=as_json)


@app.command()
def evaluate(
    out: Annotated[
        Path, typer.Argument(help="Folder that score --out wrote, or one of CALL_ID.vtt, .stm, .srt and .rttm.")
    ],
    references: Annotated[
        Path, typer.Option("--references", help="Folder of references: CALL_ID.vtt, .stm or .srt, and .rttm.")
    ],
    manifest: Annotated[
        Path | None, typer.Option("--manifest", help="calls.csv, for the roles of people whom references name.")
    ] = None,
    results: Annotated[Path | None, typer.Option("--out", help="File for the results as JSON.")] = None,
    language: Annotated[
        str | None, typer.Option("--language", help="Language of the words, as en.", show_default="each call's own")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON lines.")] = False,
) -> None:
    """Compare what was heard with references: words, speakers, talk shares and roles; see docs/evaluation.md."""
    from pipeline import terminal

    failed = terminal.evaluate(out, references, manifest=manifest, results=results, language=language, as_json=as_json)
    raise typer.Exit(1 if failed else 0)


@app.command()
def relevel(
    scores: Annotated[Path, typer.Argument(help="Folder of scorecards, as score --out wrote it; it is only read.")],
    out: Annotated[Path, typer.Option("--out", help="Another folder, for the new scorecards and the bridge.")],
    rubric: Annotated[str, typer.Option("--rubric", help="The rubric to level by: a name or a YAML file.")],
    calibration: Annotated[
        Path | None, typer.Option("--calibration", help="calibration.json with thresholds for that rubric.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the bridge as JSON.")] = False,
) -> None:
    """Level stored scorecards by another rubric version, without judging again, and show how levels moved."""
    from pipeline import terminal

    failed = terminal.relevel(scores, out, rubric=rubric, calibration=calibration, as_json=as_json)
    raise typer.Exit(1 if failed else 0)


@app.command()
def train(
    corpus: Annotated[Path, typer.Option("--corpus", help="Folder of labelled calls.")] = Path("data/corpus"),
    out: Annotated[Path, typer.Option("--out", help="Folder for the weights and their card.")] = Path(
        "models/behaviours"
    ),
    encoder: Annotated[
        Path | None,
        typer.Option("--encoder", help="Folder of another BERT encoder to stand on; the packaged one by default."),
    ] = None,
) -> None:
    """Train the behaviour classifier on labelled calls and write its weights and card."""
    from pipeline import terminal

    terminal.train(corpus, out, encoder)


cli_batch.add_to(app)


if __name__ == "__main__":
    main()
