"""Makes clean text look like a speech recogniser's: words lost, put in or misheard, no punctuation, lower case.

Used to train on both kinds of text and to measure on the second. All chance comes from the generator that is given.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable

__all__ = ["Mishearing", "plain"]

_MARKS = re.compile(r"[^\w'’\s-]|(?<!\w)-|-(?!\w)")


def plain(text: str) -> str:
    """`text` in lower case without punctuation; apostrophes inside words stay, as recognisers write them."""
    return " ".join(_MARKS.sub(" ", text.replace("-", " ")).lower().split())


class Mishearing:
    """Replaces words by others of the same first letter and about the same length, seen in the given texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        counts = Counter(word for text in texts for word in plain(text).split())
        self._alike: dict[tuple[str, int], list[str]] = defaultdict(list)
        for word, count in sorted(counts.items()):
            self._alike[word[0], len(word) // 3] += [word] * min(count, 20)
        self._common = [word for word, _ in counts.most_common(60)]

    def __call__(self, text: str, rate: float, chance: random.Random) -> str:
        """`text` as heard with about `rate` of its words wrong: 60 % of those misheard, 25 % lost, 15 % put in."""
        heard = []
        for word in plain(text).split():
            draw = chance.random()
            if draw >= rate:
                heard.append(word)
            elif draw < 0.6 * rate:
                heard.append(chance.choice(self._alike.get((word[0], len(word) // 3), self._common)))
            elif draw >= 0.85 * rate:
                heard += [word, chance.choice(self._common)]
        return " ".join(heard)
