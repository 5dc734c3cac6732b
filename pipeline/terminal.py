"""What the command line does and shows: progress on stderr, the summary table on stdout."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipeline.archive.cells import safe_cell
from pipeline.archive.folder import FAILURES, INDEX, call_folder, check_writable, stored_scorecards, write_file
from pipeline.listen.manifest import Sources, find_sources, read_manifest
from pipeline.listening import engine_for
from pipeline.records import LEVEL_NAMES, BehaviourScore, Scorecard
from pipeline.report.index_page import index_page
from pipeline.score import Outcome, prepare_calibration, prepare_judge, prepare_rubric, score_calls
from pipeline.settings import ListenSettings

_SIGNS = ("[red]○[/]", "[yellow]◔[/]", "[green]◑[/]", "[bold green]●[/]")
_HYPHENATED = {
    "differentiation": "differ-\nentia-\ntion",
    "proposition": "propo-\nsition",
    "discovery": "disco-\nvery",
    "reconciliation": "reconci-\nliation",
}  # for 80 columns
_WITHHELD = "[dim]?[/]"


def score(
    sources: Sequence[Path],
    out: Path,
    *,
    manifest: Path | None,
    rubric: str | None,
    settings: ListenSettings,
    judge: Path | None = None,
    calibration: Path | None = None,
    as_json: bool = False,
) -> int:
    """How many calls failed. Everything that can be wrong with the request is checked before the first call."""
    listed = read_manifest(manifest) if manifest else None
    found = find_sources(sources, listed)
    chosen = prepare_rubric(rubric)
    classifier = prepare_judge(judge)
    calibrated = prepare_calibration(calibration, found.rows, chosen, classifier)
    check_writable(out)
    told = Console(stderr=True)
    for warning in listed.warnings if listed else ():
        told.print(f"[yellow]{escape(warning)}[/]")
    _say_skipped(told, found)
    if any(row.recording and not row.transcript for row in found.rows):
        with told.status("getting the speech engine ready; Whisper's weights are fetched once if they are not here"):
            _, note = engine_for(settings)
        if note:
            told.print(f"[yellow]{escape(note)}[/]")
    with _bar(told) as bar:
        progress, finished = _followed(bar, told, len(found.rows))
        outcomes = score_calls(
            found.rows,
            out=out,
            rubric=chosen,
            settings=settings,
            classifier=classifier,
            calibration=calibrated,
            progress=progress,
            finished=finished,
        )
    failures = [outcome for outcome in outcomes if outcome.error is not None]
    write_failures(out, failures)
    told_failures = [(outcome.row.call_id, outcome.error or "") for outcome in failures]
    write_file(out / INDEX, index_page(stored_scorecards(out), told_failures))
    _print_summary(outcomes, out, as_json)
    if failures:
        told.print(f"{len(failures)} of {len(outcomes)} calls failed; the reasons are in {escape(str(out / FAILURES))}")
    return len(failures)


def calibrate(
    ratings: Path, out: Path, *, scores: Path | None, rubric: str | None, target_error: float, as_json: bool = False
) -> None:
    """Calibrate, print what was found, and say where the file and the page are."""
    from pipeline.calibration import FILE, PAGE, calibrate_files
    from pipeline.calibration_table import json_lines, summary

    told = Console(stderr=True)
    with told.status("comparing levels"):
        found = calibrate_files(ratings, out=out, scores=scores, rubric=rubric, target_error=target_error)
    for note in found.notes:
        told.print(f"[yellow]{escape(note)}[/]")
    if as_json:
        for line in json_lines(found):
            print(line)
        return
    Console().print(summary(found))
    print(f"Open {out / PAGE}")
    if any(one.fit and one.fit.kept for one in found.behaviours):
        print(f"Score with the new thresholds: ridealong score … --calibration {out / FILE}")
    elif found.machine:
        told.print("No threshold is changed; the page says why.")
    else:
        told.print(
            "Raters alone were compared; with --scores the machine stands beside them and thresholds are fitted."
        )


def evaluate(
    out: Path,
    references: Path,
    *,
    manifest: Path | None = None,
    results: Path | None = None,
    language: str | None = None,
    as_json: bool = False,
) -> int:
    """How many calls could not be read. Prints the figures, and says which calls are not in them."""
    from pipeline.evaluation import evaluate_files
    from pipeline.evaluation_table import json_lines, remarks, summary

    told = Console(stderr=True)
    with told.status("comparing with the references"):
        found = evaluate_files(out, references=references, manifest=manifest, language=language, results=results)
    for remark in remarks(found):
        told.print(remark)
    if as_json:
        for line in json_lines(found):
            print(line)
    else:
        Console().print(summary(found))
    return len(found.failed)


def relevel(scores: Path, out: Path, *, rubric: str, calibration: Path | None = None, as_json: bool = False) -> int:
    """How many scorecards could not be read. Prints how far levels moved, and says where the bridge is."""
    from pipeline.assess.calibration import load_calibration
    from pipeline.assess.rubric import calibrated, load_rubric
    from pipeline.relevel import BRIDGE, relevel_folder

    chosen = load_rubric(rubric)
    if calibration:
        chosen = calibrated(chosen, load_calibration(calibration))
    told = Console(stderr=True)
    with _bar(told) as bar:
        task = bar.add_task("scorecards", total=None)
        bridge = relevel_folder(
            scores, out, chosen, progress=lambda _, done, total: bar.update(task, completed=done, total=total)
        )
    for call, reason in bridge.failures:
        told.print(f"[red]failed[/] {escape(call)}: {escape(reason)}")
    if as_json:
        print(json.dumps(bridge.to_dict(), ensure_ascii=False))
        return len(bridge.failures)
    table = Table(title=f"{bridge.calls} scorecards by {chosen.id} {chosen.version}", box=box.SIMPLE)
    for number, heading in enumerate(("behaviour", "levels", "moved", "newly withheld", "newly given")):
        table.add_column(heading, justify="right" if number else "left")
    for moves in bridge.moves:
        row = moves.to_dict()
        share = "" if row["share_moved"] is None else f" ({row['share_moved']:.0%})"
        counts = (row["levels_given"], f"{row['moved']}{share}", row["newly_withheld"], row["newly_given"])
        table.add_row(escape(moves.behaviour), *map(str, counts))
    Console().print(table)
    print(f"Open {out / BRIDGE}.html")
    return len(bridge.failures)


def train(corpus: Path, out: Path, encoder: Path | None = None) -> None:
    """Train the behaviour classifier, with a progress bar, and say where its card is."""
    from pipeline.calibrate.train import train as fit

    told = Console(stderr=True)
    with _bar(told) as bar:
        task = bar.add_task("training", total=None)
        fit(
            corpus,
            out,
            encoder_folder=encoder,
            progress=lambda stage, done, total: bar.update(task, description=stage, completed=done, total=total),
        )
    print(f"weights and card: {out / 'card.md'}")


def write_failures(out: Path, failures: Sequence[Outcome]) -> None:
    """Write OUT/failures.csv with each failed call and its reason; without failures an older file is removed."""
    path = out / FAILURES
    if not failures:
        path.unlink(missing_ok=True)
        return
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["call_id", "source", "reason"])
    for outcome in failures:
        source = outcome.row.recording or outcome.row.transcript
        writer.writerow([safe_cell(str(cell)) for cell in (outcome.row.call_id, source, outcome.error)])
    write_file(path, text.getvalue())


# --- progress -------------------------------------------------------------------------------------


def _bar(told: Console) -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, console=told, disable=not told.is_terminal)


def _followed(
    bar: Progress, told: Console, calls: int
) -> tuple[Callable[[str, int, int], None], Callable[[Outcome], None]]:
    """Callbacks for the stages of the running call and for each finished one; failures are told at once."""
    overall = bar.add_task("calls", total=calls)
    stage = bar.add_task("", total=None)  # what happens just now; several calls may be on their way

    def progress(name: str, done: int, total: int) -> None:
        bar.update(stage, description=f"{name} {done / total:.0%}" if total > 1 else name)

    def finished(outcome: Outcome) -> None:
        bar.advance(overall)
        if outcome.error is not None:
            told.print(f"[red]failed[/] {escape(outcome.row.call_id)}: {escape(outcome.error)}")

    return progress, finished


def _say_skipped(told: Console, found: Sources) -> None:
    if found.skipped:
        names = ", ".join(path.name for path, _ in found.skipped[:5]) + (" …" if len(found.skipped) > 5 else "")
        told.print(f"[dim]{len(found.skipped)} files are not scored: {escape(names)}[/]")


# --- the summary ----------------------------------------------------------------------------------


def _print_summary(outcomes: Sequence[Outcome], out: Path, as_json: bool) -> None:
    if as_json:
        for outcome in outcomes:
            print(json.dumps(_summary(outcome, out), ensure_ascii=False))
        return
    done = [outcome.scorecard for outcome in outcomes if outcome.scorecard is not None]
    for table in _tables(done):
        Console().print(table, "")
    if done:
        print(f"Open {out / INDEX}")


def _summary(outcome: Outcome, out: Path) -> dict[str, object]:
    card = outcome.scorecard
    return {
        "call_id": outcome.row.call_id,
        "error": outcome.error,
        "scorecard": None if card is None else str(call_folder(out, outcome.row.call_id) / "scorecard.json"),
        "levels": None if card is None else {one.behaviour: one.level for one in card.behaviours},
    }


def _tables(cards: Sequence[Scorecard]) -> list[Table]:
    """A table of the sales calls and one of the meetings, which are judged on other behaviours; no empty one but when
    nothing was scored."""
    sold = [card for card in cards if not card.call.is_meeting]
    met = [card for card in cards if card.call.is_meeting]
    return [*([_table(sold, "call")] if sold or not met else []), *([_table(met, "meeting")] if met else [])]


def _table(cards: Sequence[Scorecard], kind: str) -> Table:
    behaviours = list(dict.fromkeys(one.behaviour for card in cards for one in card.behaviours))
    legends = zip((*_SIGNS, _WITHHELD), (*LEVEL_NAMES, "not sure"), strict=True)
    legend = "  ".join(f"{sign} {name}" for sign, name in legends)
    title = f"{len(cards)} {kind}{'s' if len(cards) != 1 else ''} scored"
    table = Table(title=title, caption=legend, box=box.SIMPLE, pad_edge=False, show_edge=False, collapse_padding=True)
    table.add_column(kind, no_wrap=True, max_width=40)
    for name in behaviours:
        table.add_column("\n".join(_HYPHENATED.get(word, word) for word in name.split("_")), justify="center")
    if kind == "meeting":
        table.add_column("manager\ntalks", justify="right")
    else:
        table.add_column("seller\ntalks", justify="right")
        table.add_column("take-\nover", justify="right")
    for card in cards:
        levels = {one.behaviour: _level(one) for one in card.behaviours}
        cells = [levels.get(name, "–") for name in behaviours]
        talk = [_manager_share(card)] if kind == "meeting" else [_seller_share(card), _takeover(card)]
        table.add_row(escape(card.call.call_id), *cells, *talk)
    return table


def _level(score: BehaviourScore) -> str:
    return _WITHHELD if score.level is None else _SIGNS[score.level]


def _seller_share(card: Scorecard) -> str:
    share = dict(card.talk.by_side).get("seller")
    return "–" if share is None or share.talk_share is None else f"{share.talk_share:.0%}"


def _manager_share(card: Scorecard) -> str:
    spoken = [one.talk_share for name, one in card.talk.by_speaker if card.call.participant(name).role == "manager"]
    shares = [share for share in spoken if share is not None]
    return f"{sum(shares):.0%}" if shares else "–"


def _takeover(card: Scorecard) -> str:
    if card.joint.takeover is None:
        return "–"
    if not card.joint.takeover:
        return "no"
    at = card.joint.began_at
    return f"turn {(card.joint.began_turn or 0) + 1}" if at is None else f"{int(at // 60)}:{int(at % 60):02d}"
