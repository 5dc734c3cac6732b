"""Raw cue text -> who speaks and what is said: voice tags (`<v Name>`), or else `Name: text` labels.

Where a file has voice tags, `Name:` is text like any other. Where it has none, a label counts as a name if it looks
like one and the file uses such labels throughout; "Here is the thing: ..." does not.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, groupby, pairwise

from pipeline.listen.captions_cue import Cue, counted, plain

FEW_UNLABELLED = 5
"""Parts without a label from which they may be the file's way; fewer are somebody whom the software did not know."""

_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?(?:\s([^<>]*))?>", re.IGNORECASE)
# Only the tags that the formats define are removed: "<script>" or "a < b > c" that somebody typed stays as text.
_TAG = re.compile(
    r"</?(?:b|i|u|c|ruby|rt)(?:\.[^\s<>]*)?>|</?(?:lang|font)(?:[.\s][^<>]*)?>|</v>|<[0-9][0-9:.]*>|\{\\an?[0-9]+\}",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LABEL = re.compile(r"(?:[-–—]\s*|>>+\s*)?([^\s:：?!\"“”][^:：?!\"“”]{0,59}?)\s?(?::(?=\s|$)|：)\s*")
_PARTICLES = frozenset(
    (
        "al",
        "and",
        "bin",
        "da",
        "de",
        "del",
        "della",
        "den",
        "der",
        "di",
        "do",
        "dos",
        "du",
        "el",
        "la",
        "le",
        "of",
        "the",
        "van",
        "von",
        "y",
    )
)

Part = tuple[str | None, str]
"""A speaker, or None, and the plain text that they say."""


def attribute(cues: Sequence[Cue], *, entities: bool) -> tuple[list[Cue], list[str]]:
    """The cues with their speakers and plain text, and warnings. `entities` decodes &amp; and its like.

    A cue in which several speak becomes one cue each, sharing its time by their words; any other stays one cue.
    """
    warnings = []
    if any((name or "").strip() for cue in cues for name in _VOICE.findall(cue.text)):
        parts = [_by_voice(cue.text, entities) for cue in cues]
    else:
        texts = [[_plain(line, entities) for line in cue.text.split("\n")] for cue in cues]
        texts = [[line for line in lines if line] for lines in texts]
        names = names_among([lines[0] for lines in texts if lines])
        parts = [_by_label(lines, names) for lines in texts]
        if bare := _unlabelled_between_changes(parts):
            parts = _carried_on(parts)
            warnings.append(
                f"{bare} parts without a label: taken for the speaker above, as labels stand at changes only"
            )
    split = [cue.place for cue, voices in zip(cues, parts, strict=True) if len(voices) > 1]
    if split:
        count = counted(len(split), "cue", split[0])
        warnings.append(f"{count} with several voices: split, their time shared by the number of words")
    return [one for cue, voices in zip(cues, parts, strict=True) for one in _shared(cue, voices)], warnings


def _plain(text: str, entities: bool) -> str:
    text = _TAG.sub("", text)
    return plain(_ENTITY.sub(lambda match: html.unescape(match[0]), text) if entities else text)


def _shared(cue: Cue, parts: Sequence[Part]) -> list[Cue]:
    """One cue for each part, its time in proportion to the part's words."""
    if len(parts) < 2 or cue.start is None or cue.end is None:
        return [replace(cue, speaker=name, text=text) for name, text in parts]
    words = list(accumulate(len(text.split()) for _, text in parts))
    inner = [cue.start + (cue.end - cue.start) * done / words[-1] for done in words[:-1]]
    edges = [cue.start, *(min(max(round(edge, 3), cue.start), cue.end) for edge in inner), cue.end]
    return [
        replace(cue, speaker=name, text=text, start=edges[index], end=edges[index + 1])
        for index, (name, text) in enumerate(parts)
    ]


def _joined(parts: Sequence[Part]) -> list[Part]:
    """The parts that say something, those of one speaker in a row as one; at least one part."""
    spoken = [part for part in parts if part[1]] or [(parts[0][0], "")]
    voices = groupby(spoken, key=lambda part: part[0])
    return [(name, " ".join(text for _, text in group)) for name, group in voices]


def _by_voice(text: str, entities: bool) -> list[Part]:
    """The parts of a cue by its voice tags. Text outside a voice goes with the voice before it, or with the first."""
    pieces = _VOICE.split(text)
    names = [_plain(name or "", entities) or None for name in pieces[1::2]]
    texts = [_plain(piece, entities) for piece in pieces[2::2]]
    before = _plain(pieces[0], entities)
    if not names:
        return [(None, before)]
    texts[0] = f"{before} {texts[0]}".strip()
    return _joined(list(zip(names, texts, strict=True)))


def _by_label(lines: Sequence[str], names: frozenset[str]) -> list[Part]:
    """The parts of a cue by the labels at the beginning of its lines; a line without one goes on with the part."""
    parts: list[Part] = []
    speaker: str | None = None
    for line in lines:
        label, text = label_of(line)
        speaker, text = (label, text) if label in names else (speaker, line)
        parts.append((speaker, text))
    return _joined(parts or [(None, "")])


def _unlabelled_between_changes(parts: Sequence[Sequence[Part]]) -> int:
    """How many parts have no label, in a file that labels only where the speaker changes; 0 in any other file.

    Such a file leaves several parts without one, has two speakers who come again, and names nobody twice in a row.
    """
    flat = [name for voices in parts for name, text in voices if text]
    labels = [name for name in flat if name]
    come_again = sum(count > 1 for count in Counter(labels).values())
    is_so = come_again >= 2 and all(before != after for before, after in pairwise(labels))
    bare = len(flat) - len(labels)
    return bare if is_so and bare >= FEW_UNLABELLED else 0


def _carried_on(parts: Sequence[Sequence[Part]]) -> list[list[Part]]:
    """The parts with those without a label given to the speaker above."""
    speaker: str | None = None
    made = []
    for voices in parts:
        named = []
        for name, text in voices:
            speaker = name or speaker
            named.append((speaker, text))
        made.append(_joined(named))
    return made


def label_of(line: str) -> Part:
    """The label at the beginning of a line, None without one, and the rest of the line."""
    match = _LABEL.match(line)
    if match is None:
        return None, line
    label = match[1]
    bracketed = (label[0], label[-1]) in {("[", "]"), ("(", ")")}
    return (label[1:-1].strip() if bracketed else label) or None, line[match.end() :]


def names_among(first_lines: Sequence[str]) -> frozenset[str]:
    """The labels that are speakers' names.

    In a file where at least half of the cues start with a short label, those that are written like a name, come
    again, or are of one or two words. In any other file, where "Note:" is the likelier reading, those that are
    written like a name and come again.
    """
    found = Counter(label for label, _ in map(label_of, first_lines) if label)
    short = {label for label in found if len(label.split()) <= 6}
    labelled = 2 * sum(found[label] for label in short if like_a_name(label) or len(label.split()) <= 2)
    if labelled >= len(first_lines):
        return frozenset(x for x in short if like_a_name(x) or found[x] > 1 or len(x.split()) <= 2)
    return frozenset(label for label in short if like_a_name(label) and found[label] > 1)


def like_a_name(label: str) -> bool:
    """Whether every word begins as names do: not in lower case, particles such as "van" aside."""
    return any(c.isalnum() for c in label) and all(
        not word[0].islower() or word in _PARTICLES for word in label.split()
    )
