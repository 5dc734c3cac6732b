"""The end of a listing in, those recordings out that the ledger has of this bucket and the listing did not show.

Many buckets delete recordings after some weeks. What was heard and found in them is kept, so other rules can still
judge and level them anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from pipeline.archive.ledger import Ledger
from pipeline.archive.ledger_rows import pieces
from pipeline.archive.recordings import Recording
from pipeline.batch.listing import why_not
from pipeline.batch.versions import Rules

__all__ = ["Ids", "gone_from"]


class Ids:
    """Ids of the ledger's rows, a bit each: a million take 125 KB."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, ids: Iterable[int]) -> None:
        """Take these in; none is below 0."""
        for id_ in ids:
            place = id_ >> 3
            if place >= len(self._bits):
                self._bits.extend(bytes(place + 1 - len(self._bits)))
            self._bits[place] |= 1 << (id_ & 7)

    def __contains__(self, id_: object) -> bool:
        if not isinstance(id_, int):
            return False
        place = id_ >> 3
        return 0 <= place < len(self._bits) and bool(self._bits[place] & 1 << (id_ & 7))


def gone_from(
    source: str, ledger: Ledger, rules: Rules, shown: Ids, unheard: Callable[[int], None]
) -> Iterator[Sequence[Recording]]:
    """The recordings of the source that have results which other rules made, or that wait or failed, and that are not
    among those `shown`; in chunks. `unheard` is told how many there are besides that would have to be listened to.

    What a listing passes over by its name is passed over here too, and so are types of call without a rubric.
    """
    ids, lost = ledger.outdated(source, rules.marks, shown)
    unheard(lost)
    types = {name for name, _ in rules.rubrics}
    for piece in pieces(ids):
        yield [one for one in ledger.get(piece) if why_not(one.key) is None and one.row["call_type"] in types]
