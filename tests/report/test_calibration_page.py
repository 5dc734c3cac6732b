"""The calibration page: people beside machine, plain reasons for what was refused, hostile names, and the browser."""

import re

import pytest

from pipeline.assess.calibration import Calibration
from pipeline.assess.rubric import calibrated
from pipeline.calibrate.agreement import Figure
from pipeline.calibrate.calibration import calibrate
from pipeline.calibrate.machine import machine_of
from pipeline.calibrate.ratings import Rating, Ratings
from pipeline.records import Agreement
from pipeline.report.calibration_behaviours import figure_in_words
from pipeline.report.calibration_page import calibration_page, page_of, severity_in_words
from pipeline.report.rates import scale_over
from pipeline.report.scorecard_page import scorecard_page
from pipeline.report.words import SPACE
from tests.builders import core_rubric
from tests.calibrate.made_scores import machine_of_levels, scorecard
from tests.calibrate.panels import panel

RUBRIC = core_rubric("discovery")
HOSTILE = '"><script>document.title="owned"</script>'
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 900}


def found_of(severities, calls, *, lean=0.8, machine=True, rename=None, **kind):
    rows, fair = panel(severities, calls, **kind)
    rename = rename or {}
    rows = [Rating(rename.get(one.call_id, one.call_id), one.rater, one.behaviour, one.level) for one in rows]
    ratings = Ratings("ratings.csv", tuple(rows), "0" * 64, ("Columns that are not used: comment.",))
    if not machine:
        return calibrate(ratings)
    said = machine_of_levels(fair, lean=lean, noise=0.6)
    cards = [scorecard(rename.get(call, call), chances) for call, chances in said.items()]
    return calibrate(ratings, machine_of(cards, "out"), RUBRIC)


@pytest.fixture(scope="module")
def cases():
    """Name -> what was calibrated: a full panel, raters alone, few calls, one rater, hostile and long names, many."""
    long_name = "Anastasia-Konstantinopoulou-von-und-zu-Hohenstein " * 2
    return {
        "full": found_of({"Ana": -0.5, "Ben": 0.0, "Cai": 0.5}, 60, missing=0.2),
        "alone": found_of({"Ana": -0.3, "Ben": 0.3}, 30, machine=False),
        "few": found_of({"Ana": -0.3, "Ben": 0.3}, 3),
        "one": found_of({"Ana": 0.0}, 8),
        "hostile": found_of({HOSTILE: 0.0, long_name: 0.2}, 20, rename={"c001": HOSTILE, "c002": "x" * 120}),
        "many": found_of({f"Rater {index:02}": index / 20 - 0.5 for index in range(20)}, 12, missing=0.6),
    }


@pytest.fixture(scope="module")
def pages(cases):
    return {name: calibration_page(found, "calibration-1") for name, found in cases.items()}


def test_page_shows_raters_beside_the_machine(cases):
    page = page_of(cases["full"], "calibration-1")
    assert page.title == "How well raters and machine agree"
    assert page.facts == (
        f"Discovery call, rubric discovery_call {RUBRIC.version}",
        "60 calls",
        "3 raters",
        page.facts[3],
    )
    for one in page.behaviours:
        assert [rate.name for rate in one.rates] == ["Two raters", "Machine and a rater"]
        assert all(rate.low <= rate.at <= rate.high for rate in one.rates)
        assert [row.name for row in one.figures][-1] == "Machine and agreed level"
        assert sum(row.total for row in one.confusion) == one.confusion_calls
    assert [rate.name for rate in page.severities] == ["Cai", "Ben", "Ana"]  # the strictest first
    assert page.severities[0].value.endswith("levels stricter")


def test_page_says_in_words_what_was_kept_and_refused(cases):
    full, few = (page_of(cases[name], "calibration-1") for name in ("full", "few"))
    kept = [one for one in full.behaviours if one.moved]
    assert kept
    assert all(one.state == "New thresholds" and "so the fitted thresholds are used" in one.reason for one in kept)
    assert all(one.reason.startswith("Fitting needs 40 calls") for one in few.behaviours)
    assert all("needs 60 rated calls; there are 3" in one.risk for one in few.behaviours)
    assert all(one.reading.startswith("Only 3 calls have two raters' levels") for one in few.behaviours)
    assert "New thresholds are used for none of five behaviours." in few.summary


def test_page_of_one_rater_says_what_is_not_known(cases):
    page = page_of(cases["one"], None)
    assert page.severity_refused == "Severity needs two raters or more; there is one."
    assert all("No call has two raters' levels" in one.reading for one in page.behaviours)
    assert page.behaviours[0].rates[0].value == "cannot be told"


def test_page_of_raters_alone_speaks_of_no_machine(pages):
    assert "How well raters agree" in pages["alone"]
    assert "achine and a rater" not in pages["alone"]
    assert "Calibration file" not in pages["alone"]


def test_page_is_self_contained_and_escapes_names(pages):
    for page in pages.values():
        assert "http://" not in page
        assert "https://" not in page
        assert not re.search(r"\sstyle=", page)
        assert "<script" not in page
    assert "&lt;script&gt;document.title" in pages["hostile"]


def test_page_of_the_same_ratings_is_the_same(cases, pages):
    assert calibration_page(cases["full"], "calibration-1") == pages["full"]


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.42, f"0.4{SPACE}levels stricter"), (-1.2, f"1.2{SPACE}levels milder"), (0.04, "as the others")],
)
def test_severity_in_words(value, words):
    assert severity_in_words(value) == words


def test_figures_in_words():
    assert figure_in_words(Figure(0.812, 0.7, 0.894)) == "0.81 (0.70 to 0.89)"
    assert figure_in_words(Figure(-0.1)) == "−0.10"
    assert figure_in_words(Figure(None)) == "cannot be told"


def test_a_scale_widens_by_whole_steps_for_what_lies_outside():
    bare = scale_over([0.3, None, 0.9], 0.0, 1.0, 0.2)
    assert [label for _, label in bare.ticks] == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    wide = scale_over([-0.25], 0.0, 1.0, 0.2)
    assert [label for _, label in wide.ticks][:3] == ["−0.4", "", "0"]
    assert wide.place(-0.4) == pytest.approx(0)
    assert wide.place(2) == 1
    signed = scale_over([1.2], -1.0, 1.0, 0.5, signed=True)
    assert [label for _, label in signed.ticks] == ["−1", "−0.5", "0", "+0.5", "+1", "+1.5"]


def test_scorecards_page_names_the_calibration_and_its_agreement(joint):
    used = Calibration(
        "calibration-1", "ours.json", "joint_call", core_rubric("joint").version, "any", 3,
        (("agenda", (0.5, 0.5, 0.6)),),
        (Agreement("agenda", 0.7, 0.6, 0.8, 60, 0.82),),
    )  # fmt: skip
    page = scorecard_page(joint, calibrated(core_rubric("joint"), used), audio=None)
    assert "ours.json (calibration-1): thresholds for Agenda fit 3 raters." in page
    assert "Agenda 0.70 (0.60 to 0.80; two raters 0.82)." in page


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["full", "alone", "few", "one", "hostile", "many"])
def test_page_is_quiet_and_fits_phone_and_desktop(browser, pages, tmp_path, name, scheme):
    path = tmp_path / "calibration.html"
    path.write_text(pages[name], encoding="utf-8")
    context = browser.new_context(viewport=PHONE, color_scheme=scheme)
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert said == []
    assert all(url.startswith((path.as_uri(), "data:")) for url in asked)
    assert page.title() != "owned"
    context.close()
