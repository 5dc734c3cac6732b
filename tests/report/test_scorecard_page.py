"""The HTML of the scorecard page, read by a parser: whole, escaped, self-contained, the same every time."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from pipeline.report.page import hash_source
from pipeline.report.scorecard_page import scorecard_page

from .conftest import four_hours

VOID = {"meta", "link", "input", "br", "img"}
CASES = (
    "empty", "no_evidence", "withheld", "no_times", "one_speaker", "eight_speakers", "hostile", "no_behaviours",
)  # fmt: skip


@dataclass
class Element:
    tag: str
    attributes: dict
    parts: list = field(default_factory=list)

    @property
    def text(self):
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    def all(self, tag=None, **wanted):
        """Every element below with this tag and these attributes (class_ is one of its classes)."""
        for part in self.parts:
            if isinstance(part, Element):
                if part.fits(tag, wanted):
                    yield part
                yield from part.all(tag, **wanted)

    def fits(self, tag, wanted):
        classes = (self.attributes.get("class") or "").split()
        return (tag is None or tag == self.tag) and all(
            value in classes if name == "class_" else self.attributes.get(name) == value
            for name, value in wanted.items()
        )


class Reader(HTMLParser):
    """A strict reader: every element is closed, in order, and no attribute is given twice."""

    CDATA_CONTENT_ELEMENTS = ("script", "style")

    def __init__(self):
        super().__init__()
        self.root = Element("root", {})
        self.open = [self.root]

    def handle_starttag(self, tag, attrs):
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        element = Element(tag, dict(attrs))
        self.open[-1].parts.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.open[-1].parts.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data):
        self.open[-1].parts.append(data)


def read(html):
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == [reader.root], "an element is not closed"
    return reader.root


@pytest.fixture(scope="module")
def joint_html(joint, rubric):
    return scorecard_page(joint, rubric, audio="audio.mp3")


@pytest.fixture(scope="module")
def joint_page(joint_html):
    return read(joint_html)


@pytest.fixture(scope="module", params=CASES)
def case(request, cases, rubric):
    return cases[request.param], scorecard_page(cases[request.param], rubric, audio="audio.mp3")


def test_every_case_is_well_formed(case):
    root = read(case[1])
    assert len(list(root.all("h1"))) == 1
    ids = [element.attributes["id"] for element in root.all() if "id" in element.attributes]
    assert len(ids) == len(set(ids))


def test_every_inner_link_has_its_target(case, joint_html):
    for html in (case[1], joint_html):
        root = read(html)
        ids = {element.attributes.get("id") for element in root.all()}
        links = [element.attributes["href"] for element in root.all("a")]
        assert all(link.startswith("#") and link[1:] in ids for link in links), set(links) - ids


def test_headings_skip_no_level(case):
    levels = [int(element.tag[1]) for element in read(case[1]).all() if re.fullmatch("h[1-6]", element.tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_policy_names_the_content_by_hash(case, joint_html):
    for html in (case[1], joint_html):
        root = read(html)
        said = next(root.all("meta", **{"http-equiv": "Content-Security-Policy"})).attributes["content"]
        assert "default-src 'none'" in said and "unsafe" not in said
        assert [hash_source(one.text) for one in root.all("style")] == re.findall(r"style-src ('\S+?')", said)
        assert [hash_source(one.text) for one in root.all("script")] == re.findall(r"script-src ('\S+?')", said)


def test_nothing_is_fetched_from_anywhere(case, joint_html):
    for html in (case[1], joint_html):
        for element in read(html).all():
            assert not set(element.attributes) & {"srcset", "action", "data", "poster", "background", "style"}
            assert not [name for name in element.attributes if name.startswith("on")]
            assert element.tag not in {"img", "iframe", "object", "embed", "form", "base"}
            assert element.attributes.get("src", "./audio.mp3") == "./audio.mp3"
        style = next(read(html).all("style")).text
        assert "url(" not in style and "@import" not in style


def test_without_a_recording_there_is_no_player(joint, rubric):
    root = read(scorecard_page(joint, rubric, audio=None))
    assert not list(root.all("audio")) and not list(root.all("button"))
    assert "media-src" not in next(root.all("meta", **{"http-equiv": "Content-Security-Policy"})).attributes["content"]
    assert next(root.all("a", class_="read")).text == "Read at 0:14"


def test_chips_stand_in_the_rubrics_order(joint_page, rubric):
    tiles = list(next(joint_page.all("ul", class_="levels")).all("a"))
    assert [next(tile.all("span")).text for tile in tiles] == [one.short for one in rubric.behaviours]
    assert [next(tile.all("span", class_="chip")).text for tile in tiles] == [
        "Excellent", "Needs Work", "Not Present", "not sure enough", "Good",
    ]  # fmt: skip


def test_quotes_are_on_the_page_verbatim(joint, joint_page):
    shown = [element.text for element in joint_page.all("blockquote")]
    for score in joint.behaviours:
        for one in score.evidence:
            assert one.quote in shown


def test_hostile_text_stays_text(cases, rubric):
    root = read(scorecard_page(cases["hostile"], rubric, audio="audio.mp3"))
    assert len(list(root.all("script"))) == 1 and not list(root.all("img"))
    assert "<script>document.title='owned'</script>" in next(root.all("h1")).text
    turn = cases["hostile"].call.turns[0]
    assert turn.text in next(root.all("li", id="t0")).text


def test_play_buttons_say_what_they_play(joint_page):
    buttons = list(joint_page.all("button"))
    assert len(buttons) == 10  # six quotes, three moments, the takeover
    for button in buttons:
        assert button.attributes["aria-label"].startswith(button.text), "the label begins with the visible words"
        assert float(button.attributes["data-at"]) > 0


def test_marks_in_the_transcript_carry_the_behaviours_name(joint, joint_page):
    turn = next(joint_page.all("li", id="t2"))
    assert [mark.text for mark in turn.all("mark")] == [one.quote for one in joint.behaviours[0].evidence]
    assert [tag.text for tag in turn.all("a", class_="tag")] == ["Agenda", "Agenda"]


def test_the_floor_has_a_text_alternative_and_a_link_for_every_mark(joint_page):
    floor = next(joint_page.all("figure", class_="floor"))
    assert "Priya Nair (manager) has" in next(floor.all("figcaption")).text
    assert [mark.attributes["aria-label"] for mark in floor.all("a", class_="mark")][:2] == [
        "Agenda, Excellent, 0:14", "Client story, Needs Work, 2:00",
    ]  # fmt: skip
    assert len(list(floor.all("path", class_="speech"))) == 4


def test_same_scorecard_same_bytes(joint, rubric, joint_html):
    assert scorecard_page(joint, rubric, audio="audio.mp3").encode() == joint_html.encode()


def test_four_hours_stay_small(rubric):
    html = scorecard_page(four_hours(rubric), rubric, audio="audio.mp3")
    assert html.count('<li id="t') == 5000
    assert len(html.encode()) < 3_000_000
