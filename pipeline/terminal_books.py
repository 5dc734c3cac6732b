"""What the commands about finished and running batches do and show; tables and JSON on stdout, the rest on stderr."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live

from pipeline.batch.places import known_ledger
from pipeline.errors import UsageError
from pipeline.terminal_figures import counted, plain

if TYPE_CHECKING:
    from pipeline.archive.ledger import Ledger
    from pipeline.forget import Forgettable
    from pipeline.terminal_status import Status

_REFRESH = 2.0  # seconds between two looks at the ledger


def status(out: str, *, ledger: str | None, watch: bool, as_json: bool) -> None:
    """Print how far the batches of a place are; with `watch` again and again, until no batch runs any more."""
    from pipeline.terminal_status import read_status, status_json, status_view

    with known_ledger(out, ledger) as book:
        if as_json or not sys.stdout.isatty():
            for status in _looks(book, out, watch):
                print_json(status_json(status)) if as_json else Console().print(status_view(status))
            return
        with Live(status_view(read_status(book, out)), auto_refresh=False) as live:
            for status in _looks(book, out, watch):
                live.update(status_view(status), refresh=True)


def failures(out: str, *, ledger: str | None, csv_file: Path | None, as_json: bool) -> None:
    """Print the calls that failed and those in quarantine, each with its reason."""
    from pipeline.archive.folder import write_file
    from pipeline.terminal_status import failure_json, failures_csv, failures_table

    with known_ledger(out, ledger) as book:
        if as_json:
            for one in book.failures():
                print_json(failure_json(one))
        found = list(book.failures())
    if csv_file is not None:
        write_file(csv_file, failures_csv(found))
        Console(stderr=True).print(f"{counted(len(found), 'call')} written to {csv_file}", markup=False)
    elif not as_json and found:
        Console().print(failures_table(found))
    elif not as_json:
        print("No call has failed.")


def retry(out: str, *, calls: Sequence[str], every: bool, missing: bool, ledger: str | None) -> None:
    """Let calls that failed wait again as if they had never failed, or such whose scorecards are gone, and say how
    many."""
    if [bool(calls), every, missing].count(True) != 1:
        raise UsageError(
            "Name the calls with --call ID (again for each), take all that failed with --all, or those whose "
            "scorecards are gone with --missing."
        )
    with known_ledger(out, ledger) as book:
        if missing:
            count, none = book.lost(_missing(book, out)), f"Every call that is done has its scorecard in {plain(out)}."
        else:
            count = book.retry(None if every else [_failed_id(book, call, out) for call in calls])
            none = "No call has failed, so none is to be tried again."
    if not count:
        print(none)
        return
    one = count == 1
    told = f"wait{'s' if one else ''} again; the next `ridealong batch` tries {'it' if one else 'them'}."
    print(f"{counted(count, 'call')} {told}")


def export(out: str, to: Path, *, as_json: bool) -> int:
    """How many scorecards could not be read; those are named, and the others are in the file."""
    from pipeline.archive.export import export as write
    from pipeline.archive.export import format_of
    from pipeline.archive.scores import open_scores

    format_of(to)
    scores = open_scores(out)
    if next(scores.call_ids(), None) is None:
        raise UsageError(f"{out}: there are no scorecards here. Name what `ridealong batch` or `score` had as --out.")
    told = Console(stderr=True)
    with told.status("reading scorecards") as shown:
        done = write(scores, to, progress=lambda _, at, calls: shown.update(f"{at:,} of {counted(calls, 'scorecard')}"))
    for call_id, reason in done.unreadable:
        told.print(f"{call_id} is left out: {plain(reason)}", markup=False, highlight=False, soft_wrap=True)
    if as_json:
        print_json({"file": str(done.path), "calls": done.calls, "unreadable": dict(done.unreadable)})
    else:
        print(f"{counted(done.calls, 'call')} written to {done.path}")
    return len(done.unreadable)


def forget(
    out: str,
    *,
    calls: Sequence[str],
    person: str | None,
    before: str | None,
    ledger: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """The exit status: 1 where something is still found afterwards. Shows what is to go and asks first."""
    from pipeline.archive.scores import open_scores
    from pipeline.forget import find_forgettable
    from pipeline.forget import forget as remove
    from pipeline.terminal_forget import forgettable_table, forgotten_json, forgotten_view

    told = Console(stderr=True)
    with known_ledger(out, ledger, or_scores=True) as book:
        scores = open_scores(out)
        with told.status("searching"):
            found = find_forgettable(book, scores, calls=calls, person=person, before=before)
        if found:
            (Console() if dry_run and not as_json else told).print(forgettable_table(found))
        else:
            told.print("There is nothing to forget.")
        if dry_run:
            if as_json:
                print_json({"would_forget": [one.call_id for one in found]})
            return 0
        if found and not yes and not _confirmed(found):
            told.print("Nothing was removed.")
            return 0
        with told.status("removing and searching again"):
            gone = remove(book, scores, found, person=person)
    if as_json:
        print_json(forgotten_json(gone))
    else:
        Console().print(forgotten_view(gone))
    return 1 if gone.still_found else 0


def _confirmed(found: Sequence[Forgettable]) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(
            f"{counted(len(found), 'call')} would be removed for good, and there is no terminal to ask on. "
            "Look at them with --dry-run, then say --yes."
        )
    print(f"Remove {counted(len(found), 'call')} for good? Type yes: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("yes", "y")


def _missing(book: Ledger, out: str) -> list[int]:
    """The recordings that are done in the ledger, and have no scorecard."""
    from pipeline.archive.scores import open_scores
    from pipeline.listen.call_rows import folder_key

    stored = set(map(folder_key, open_scores(out).call_ids()))
    return [one.id for one in book.all(["done"]) if folder_key(one.call_id) not in stored]


def _failed_id(book: Ledger, call: str, out: str) -> int:
    found = book.find(call)
    if found is None:
        raise UsageError(
            f"{plain(call)}: there is no such call in {out}. `ridealong failures {shlex.quote(out)}` lists them."
        )
    if found.state not in ("failed", "quarantined"):
        raise UsageError(f"{call}: this call has not failed (it is {found.state}), so there is nothing to try again.")
    return found.id


def _looks(book: Ledger, out: str, watch: bool) -> Iterator[Status]:
    """The status once; with `watch` every two seconds, until a batch that was seen running has ended."""
    from pipeline.terminal_status import read_status

    seen = False
    while True:
        status = read_status(book, out)
        yield status
        seen = seen or bool(status.runs)
        if not watch or (seen and not status.runs):
            return
        time.sleep(_REFRESH)


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON object on a line of stdout, at once."""
    print(json.dumps(value), flush=True)  # ASCII alone: a key may hold what is no text in any encoding
