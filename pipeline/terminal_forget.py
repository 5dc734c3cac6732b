"""Forgetting calls from a terminal: what is to go and why, a question, and the proof that nothing is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.terminal_figures import counted, plain

if TYPE_CHECKING:
    from pipeline.forget import Forgettable, Forgotten


def forgettable_table(found: Sequence[Forgettable]) -> Table:
    """The calls that are to go, each with its reason and the recording that stays."""
    table = Table(title=f"{counted(len(found), 'call')} to be forgotten", box=box.SIMPLE, pad_edge=False)
    table.add_column("call", overflow="fold", max_width=28)
    table.add_column("why", overflow="fold", ratio=1)
    table.add_column("recording", overflow="fold", ratio=1, style="dim")
    for one in found:
        table.add_row(Text(one.call_id), Text(plain(one.why)), Text("–" if one.key is None else plain(one.key)))
    return table


def forgotten_view(gone: Forgotten) -> RenderableType:
    """What went, what was searched and what was found, and the recordings that are left to their owner."""
    lines = [
        Text(f"Forgotten: {counted(len(gone.calls), 'call')} and {counted(gone.rows, 'row')} of the ledger."),
        _proof(gone),
        *(Text(f"  {plain(place)}", style="red") for place in gone.still_found),
    ]
    if gone.sources:
        many = len(gone.sources) != 1
        lines.append(
            Text(
                f"The recording{'s' if many else ''} {'are' if many else 'is'} yours and still there; delete "
                f"{'them' if many else 'it'} yourself where {'they' if many else 'it'} must go as well. Until then the "
                f"next batch passes {'them' if many else 'it'} over:"
            )
        )
        lines += [Text(f"  {plain(key)}") for key in gone.sources]
    return Group(*lines)


def forgotten_json(gone: Forgotten) -> dict[str, Any]:
    """The same for machines."""
    return {
        "calls": list(gone.calls),
        "rows": gone.rows,
        "searched_files": gone.searched_files,
        "searched_rows": gone.searched_rows,
        "still_found": list(gone.still_found),
        "sources": list(gone.sources),
    }


def _proof(gone: Forgotten) -> Text:
    files = counted(gone.searched_files, "file") if gone.searched_files else "what is stored of the calls"
    what = f"Searched: {files} and {counted(gone.searched_rows, 'row')} of the ledger; "
    if not gone.still_found:
        return Text(f"{what}found: nothing.", style="green")
    return Text(f"{what}still found in {counted(len(gone.still_found), 'place')}:", style="red")
