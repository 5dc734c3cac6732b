"""SubRip (.srt): text -> cues. Speakers are `Name: text` labels, or voice tags where a converter left them."""

from __future__ import annotations

from pathlib import Path

from pipeline.listen.captions_cue import Parsed, fault, shown
from pipeline.listen.captions_scan import scan, split_lines
from pipeline.listen.captions_voices import attribute


def parse_srt(path: Path, text: str) -> Parsed:
    """The cues of a SubRip file; raises TranscriptError for a broken time line or a file in another format."""
    lines = split_lines(text)
    if lines[0].startswith("WEBVTT"):
        wrong = f"the first line is {shown(lines[0])}: this is WebVTT"
        raise fault(path, "line 1", wrong, "SubRip in a file named .srt", "Rename the file to .vtt.")
    cues, warnings = scan(path, lines, first=0, webvtt=False)
    voiced, more = attribute(cues, entities=False)
    return Parsed(tuple(voiced), (*warnings, *more), pieces=True, format="srt")
