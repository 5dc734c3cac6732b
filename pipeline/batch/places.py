"""Where a batch keeps its books: the place of the scorecards in, the URL of the ledger out."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import URL

    from pipeline.archive.ledger import Ledger

VARIABLE = "RIDEALONG_LEDGER"
LEDGER = "ledger.db"
_PATIENCE = 10.0  # seconds that a database which is away is waited for, where a person waits for the answer

__all__ = ["LEDGER", "VARIABLE", "default_ledger", "known_ledger", "ledger_file", "local_folder", "masked"]


def default_ledger(out: str | Path) -> str:
    """The URL of the ledger that serves `out` where none is named: the variable RIDEALONG_LEDGER if it is set, else
    SQLite's file ledger.db in a local `out`, else one in the user's data folder that is named after the URL.

    The data folder is XDG_DATA_HOME, by default ~/.local/share; source: https://specifications.freedesktop.org/basedir/.
    """
    named = os.environ.get(VARIABLE, "").strip()
    if named:
        return named
    folder = local_folder(out)
    return f"sqlite:///{folder / LEDGER if folder is not None else _data_folder() / f'{_name(str(out))}.db'}"


@contextmanager
def known_ledger(out: str | Path, ledger: str | None = None, *, or_scores: bool = False) -> Iterator[Ledger]:
    """The ledger of a place that batches were scored to; `ledger` None means its default one. With `or_scores` one is
    made where there is none, if there are scorecards (of `ridealong score`).

    Raises UsageError where no batch was ever scored there, or the ledger is another place's; LedgerError where the
    database cannot be used.
    """
    from pipeline.archive.ledger import open_ledger
    from pipeline.archive.scores import open_scores

    url = ledger or default_ledger(out)
    file = ledger_file(url)
    scores = open_scores(out)
    found = or_scores and next(scores.call_ids(), None) is not None
    if not found and file is not None and not file.is_file():
        raise _unknown(out, f"there is no ledger {file}")
    with open_ledger(url, patience=_PATIENCE) as book:
        if not found and book.out is None:
            raise _unknown(out, f"the ledger {masked(url)} is empty")
        book.serve(scores.url)
        yield book


def _unknown(out: str | Path, why: str) -> UsageError:
    return UsageError(
        f"{out}: no batch is known to have been scored here: {why}. Name what `ridealong batch` had as --out, and "
        f"its database with --ledger or {VARIABLE} if it had one of its own."
    )


def local_folder(place: str | Path) -> Path | None:
    """The folder, absolute, that a path or a file:// URL names; None for a bucket's URL."""
    if isinstance(place, Path) or "://" not in place:
        return _home(Path(place)).resolve()
    scheme, _, rest = place.partition("://")
    if scheme.lower() != "file":
        return None
    return Path(unquote(f"/{rest.partition('/')[2]}", errors="surrogateescape")).resolve()


def _home(path: Path) -> Path:
    """The path with a leading `~` as the home folder, as buckets read it; unchanged where there is no home."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def ledger_file(url: str) -> Path | None:
    """The file of a ledger that SQLite keeps; None of a server, or where the URL cannot be read."""
    parsed = _parsed(url)
    return Path(parsed.database) if parsed and parsed.drivername == "sqlite" and parsed.database else None


def masked(url: str) -> str:
    """The ledger for people: SQLite's file, or a server's URL with its password masked."""
    from pipeline.archive.ledger_database import shown

    parsed = _parsed(url)
    return "(not a URL)" if parsed is None else str(ledger_file(url) or shown(parsed))


def _parsed(url: str) -> URL | None:
    from pipeline.archive.ledger_database import parse

    try:
        return parse(url)
    except UsageError:
        return None


def _data_folder() -> Path:
    """The folder for ledgers of scorecards that lie in a bucket. Raises UsageError where this user has no home."""
    named = os.environ.get("XDG_DATA_HOME", "")
    try:
        base = Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "share"
    except RuntimeError as error:
        raise UsageError(
            f"there is no home folder for the ledger. Name a database with --ledger or {VARIABLE}, as sqlite:///FILE."
        ) from error
    return base / "ridealong"


def _name(url: str) -> str:
    """A file's name for the URL: the same however its end is written."""
    parts = urlsplit(url)
    same = f"{parts.scheme.lower()}://{parts.netloc}/{parts.path.strip('/')}?{parts.query}"
    return hashlib.sha256(same.encode("utf-8", "surrogatepass")).hexdigest()[:16]
