"""A name is found however it is written, and no other one is."""

import html
import json
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.archive import name_search
from pipeline.archive.name_search import NameSearch
from pipeline.errors import UsageError
from pipeline.listen.captions import write_vtt
from pipeline.listen.rttm import write_rttm
from pipeline.records import SpeechSegment, Turn

WRITTEN = [
    "ines o'brien-müller",
    "INES O\u2019BRIEN\u2011MÜLLER",
    "Ines\n    O'Brien-Müller",
    "Ines_O'Brien_Müller",
    "ines-o'brien-mu\u0308ller.mp3",
    "Ines\u00a0O&#39;Brien-M&uuml;ller",
    "Ines O&apos;Brien-M&#xFC;ller",
    "Ines O&amp;#39;Brien-Müller",
    '"Ines O\\u0027Brien-M\\u00fcller"',
    '"Ines O\\u0027Brien-M\\u00FCller"',
    "Ines%20O%27Brien-M%C3%BCller",
    "<b>Ines</b> <i>O'Brien</i>-<i>M&uuml;ller</i>",
    "In\u00ades O'Brien-Müller",
    "Ｉｎｅｓ O'Brien-Müller",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_name_search_finds_a_name_however_it_is_written(text):
    search = NameSearch("Ines O'Brien-Müller")
    assert search.is_in(f"before {text} after") and search.is_in(f"before {text} after".encode())


OTHERS = ["", "Ines", "Ines Brien-Müller", "Ines and O'Brien-Müller", "InesO'Brien-Müller", "Agines O'Brien-Müllerin"]


@pytest.mark.parametrize("text", OTHERS)
def test_name_search_finds_no_other_name(text):
    assert not NameSearch("Ines O'Brien-Müller").is_in(text)


def test_name_search_reads_pairs_of_surrogates_and_bytes_that_are_no_text():
    assert NameSearch("Ann 😀").is_in('"Ann \\ud83d\\ude00"')
    assert NameSearch("Ann").is_in(b"\xff\xfe Ann \xff") and not NameSearch("Ann").is_in(b"\xff\x00 \\ud83d")


LETTERS = st.characters(categories=("Lu", "Ll", "Lo", "Mn", "Nd", "Zs", "Pd", "Po"), exclude_characters="\\&%")
NAMES = st.text(LETTERS, min_size=3, max_size=20)  # without what begins an escape, which no name has


@given(NAMES.filter(lambda name: any(char.isalnum() for char in name)))
def test_name_search_finds_whatever_our_files_hold(name):
    search = NameSearch(name)
    turn = Turn(name, "Hello.", 0.0, 1.0)
    files = [
        json.dumps({"name": name}),
        json.dumps({"name": name}, ensure_ascii=False),
        html.escape(name),
        html.escape(json.dumps(name)),
        quote(name),
        json.dumps(quote(name)),
        write_vtt([turn]),
        write_rttm([SpeechSegment(name, 0.0, 1.0)], "call"),
    ]
    for content in files:
        assert search.is_in(f" {content} "), content


PIECES = [
    "Ines",
    "Roth",
    "ro",
    "TH",
    "\\u0052",
    "&#82;",
    "&amp;#82;",
    "%52",
    "%2552",
    "\\n",
    "\\",
    "<b>",
    "</b>",
    "&amp;",
]
PIECES += [
    " ",
    "_",
    "\xad",
    "Ｒ",
    "ſ",
    "ß",
    "é",
    "'",
    "&lt;b&gt;",
    "x",
    "&#x27;",
    '\\"',
    "50% ",
    "\\/",
    "&eacute;",
    "&Ropf;",
]


@settings(max_examples=150)
@given(st.lists(st.sampled_from(PIECES), max_size=7).map("".join), st.sampled_from(["Ines Roth", "Roth", "Ro"]))
def test_name_search_passes_over_no_text_that_holds_the_name(text, name):
    search = NameSearch(name)
    assert search.is_in(text) == any(map(search._stands_in, name_search._views(text)))


@pytest.mark.parametrize("text", ["", "  ", "_-. ", "\u200b"])
def test_name_search_for_nothing_is_refused(text):
    with pytest.raises(UsageError, match="nothing to search for; give a name with at least one letter or digit"):
        NameSearch(text)
