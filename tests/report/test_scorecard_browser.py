"""The scorecard page in Chromium: quiet, alone, usable by key, on a phone, in the dark and on paper."""

import contextlib
import functools
import re
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.report.index_page import index_page
from pipeline.report.scorecard_page import scorecard_page

from .conftest import four_hours, write_tone
from .judged import one_on_one, one_on_one_rubric, public, six, six_rubric

pytestmark = pytest.mark.browser
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
CASES = (
    "joint", "empty", "no_evidence", "withheld", "no_times", "one_speaker", "eight_speakers", "hostile",
    "no_behaviours", "six", "one_on_one",
)  # fmt: skip


@pytest.fixture(scope="session")
def folder(tmp_path_factory, joint, cases, rubric):
    """A folder of pages with a recording beside them."""
    place = tmp_path_factory.mktemp("pages")
    write_tone(place / "audio file.wav")
    for name, scorecard in {"joint": joint, **cases, "four_hours": four_hours(rubric)}.items():
        html = scorecard_page(scorecard, rubric, audio="audio file.wav")
        (place / f"{name}.html").write_text(html, encoding="utf-8")
    for name, html in {
        "six": scorecard_page(six(), six_rubric(), audio="audio file.wav"),
        "one_on_one": scorecard_page(one_on_one(), one_on_one_rubric(), audio="audio file.wav"),
        "index": index_page([public(six()), public(one_on_one())]),
    }.items():
        (place / f"{name}.html").write_text(html, encoding="utf-8")
    (place / "mute.html").write_text(scorecard_page(joint, rubric, audio=None), encoding="utf-8")
    (place / "lost.html").write_text(scorecard_page(joint, rubric, audio="gone.wav"), encoding="utf-8")
    return place


class RangeHandler(SimpleHTTPRequestHandler):
    """Serves byte ranges as web servers do; without them no browser can seek in a sound file."""

    def do_GET(self):
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not wanted:
            super().do_GET()
            return
        content = Path(self.translate_path(self.path)).read_bytes()
        first, last = int(wanted[1]), min(int(wanted[2] or len(content)), len(content) - 1)
        self.send_response(206)
        self.send_header("Content-Type", "audio/x-wav")
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # the browser may have enough before the end
            self.wfile.write(content[first : last + 1])

    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def server(folder):
    """The folder over HTTP, on loopback."""

    made = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(RangeHandler, directory=str(folder)))
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def visit(browser, folder):
    """visit(name) opens a page and records its console, errors and requests."""
    opened = []

    def open_page(name, viewport=DESKTOP, base=None, **options):
        context = browser.new_context(viewport=viewport, **options)
        page = context.new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("dialog", lambda dialog: page.said.append(f"dialog {dialog.message}"))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(f"{base}/{name}.html" if base else (folder / f"{name}.html").as_uri())
        opened.append(context)
        return page

    yield open_page
    for context in opened:
        context.close()


def width_of(page):
    return page.evaluate("document.documentElement.scrollWidth")


@pytest.mark.parametrize("name", CASES)
def test_page_is_quiet_and_fits_phone_and_desktop(visit, folder, name):
    page = visit(name, PHONE)
    assert width_of(page) <= PHONE["width"]
    page.set_viewport_size(DESKTOP)
    assert width_of(page) <= DESKTOP["width"]
    assert page.said == []
    assert all(url.startswith(folder.as_uri()) for url in page.asked), page.asked
    assert page.title() != "owned"


def test_the_list_of_calls_of_different_kinds_fits_and_its_levels_stand_in_columns(visit):
    page = visit("index", PHONE)
    assert width_of(page) <= PHONE["width"]
    page.set_viewport_size(DESKTOP)
    assert width_of(page) <= DESKTOP["width"]
    lefts = page.evaluate(
        """() => [...document.querySelectorAll('.call-levels')].map((one) =>
        [...one.children].map((cell) => Math.round(cell.getBoundingClientRect().left)))"""
    )
    assert len(lefts) == 2
    assert all(a == b for a, b in zip(*lefts, strict=False)), "levels of one list stand below one another"
    assert page.said == []


@pytest.mark.parametrize("name", ["joint", "no_times", "eight_speakers", "one_speaker", "six", "one_on_one"])
def test_no_word_of_the_floor_is_cut_off_on_a_phone(visit, name):
    page = visit(name, PHONE)
    outside = page.evaluate(
        """() => { const frame = document.querySelector('.floor').getBoundingClientRect();
        return [...document.querySelectorAll('.plot text')].filter((one) => {
          const box = one.getBoundingClientRect();
          return box.width && (box.left < frame.left || box.right > frame.right);
        }).map((one) => one.textContent); }"""
    )
    assert outside == []


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_play_button_goes_to_the_moment(visit, server, joint, scheme):
    page = visit("joint", base=server if scheme == "http" else None)
    page.wait_for_function("document.querySelector('audio').readyState >= 1")
    page.locator("#b-next_steps .play").first.click()
    at = page.evaluate("document.querySelector('audio').currentTime")
    assert at == pytest.approx(joint.call.turns[23].start, abs=2)
    assert page.said == []
    assert page.locator(".turn.now").get_attribute("id") == "t23"
    assert page.evaluate("location.hash") == f"#at={int(joint.call.turns[23].start)}"


def test_mark_on_the_floor_plays_by_key(visit, joint):
    page = visit("joint")
    page.wait_for_function("document.querySelector('audio').readyState >= 1")
    page.locator(".mark.l1").focus()
    page.keyboard.press("Enter")
    at = page.evaluate("document.querySelector('audio').currentTime")
    assert at == pytest.approx(joint.call.turns[10].start, abs=2)


def test_click_on_the_floor_jumps_there(visit, joint):
    page = visit("joint")
    page.wait_for_function("document.querySelector('audio').readyState >= 1")
    box = page.locator(".plot").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 60)
    at = page.evaluate("document.querySelector('audio').currentTime")
    assert at == pytest.approx(joint.call.duration / 2, abs=3)
    assert float(page.locator(".playhead line").get_attribute("x1").rstrip("%")) == pytest.approx(50, abs=1)


def test_time_in_the_transcript_plays_and_follows(visit, joint):
    page = visit("joint")
    page.wait_for_function("document.querySelector('audio').readyState >= 1")
    page.locator("#t6 .who a").click()
    at = page.evaluate("document.querySelector('audio').currentTime")
    assert at == pytest.approx(joint.call.turns[6].start, abs=2)
    assert page.locator(".follow input").is_checked()
    page.evaluate(f"document.querySelector('audio').currentTime = {joint.call.turns[28].start + 1}")
    page.wait_for_selector("#t28.now")
    assert page.locator("#t28").evaluate(
        "one => { const box = one.getBoundingClientRect(); return box.top > 0 && box.bottom < innerHeight; }"
    )


def test_playhead_moves_by_keys_and_says_where_it_is(visit):
    page = visit("joint")
    page.locator(".playhead").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert page.locator(".playhead").get_attribute("aria-valuetext") == "0:20, Tom Adeyemi"
    page.keyboard.press("End")
    assert page.locator(".playhead").get_attribute("aria-valuenow") == "416"


def test_without_sound_the_floor_leads_to_the_words(visit):
    page = visit("mute")
    page.locator(".playhead").focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    assert page.locator("#t29.now").evaluate("one => one.getBoundingClientRect().top < innerHeight")
    assert page.said == []


def test_a_recording_that_is_not_there_is_said(visit):
    page = visit("lost")
    page.wait_for_selector("body.silent")
    assert page.locator(".no-sound").inner_text().startswith("The recording is not beside this page.")
    assert not page.locator(".play").first.is_visible()


def test_a_link_to_a_second_opens_there(visit, folder):
    page = visit("joint")
    page.goto((folder / "joint.html").as_uri() + "#at=100")
    page.reload()
    page.wait_for_function("Math.abs(document.querySelector('audio').currentTime - 100) < 1")


def test_every_control_is_reached_by_tab(visit):
    page = visit("mute")
    count = page.evaluate("document.querySelectorAll('a[href], button, summary, input, [tabindex=\"0\"]').length")
    seen = set()
    for _ in range(count + 2):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
    body = page.evaluate("[...document.querySelectorAll('*')].indexOf(document.body)")
    assert len(seen - {body}) == count


def test_everything_that_takes_focus_has_a_name(visit):
    page = visit("joint")
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    named = {node["role"]["value"]: [] for node in tree if "role" in node}
    for node in tree:
        focusable = any(one["name"] == "focusable" for one in node.get("properties", []))
        if focusable and node["role"]["value"] in {"link", "button", "slider", "checkbox", "DisclosureTriangle"}:
            named[node["role"]["value"]].append(node.get("name", {}).get("value", ""))
    assert all(all(names) for names in named.values())
    assert "Agenda, Excellent, 0:14" in named["link"]
    assert "Play 0:14, Agenda, Tom Adeyemi" in named["button"]
    assert "Place in the call" in named["slider"]


def test_focus_is_seen(visit):
    page = visit("joint")
    page.locator(".play").first.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_without_script_everything_but_playing_is_there(visit):
    page = visit("joint", java_script_enabled=False)
    assert page.locator("#t29").is_visible()
    assert page.locator(".mark").first.is_visible()
    assert not page.locator(".play").first.is_visible()
    assert not page.locator(".playhead").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_readers_choice(visit, scheme):
    page = visit("joint", color_scheme=scheme)
    red = int(page.evaluate("getComputedStyle(document.body).backgroundColor").split("(")[1].split(",")[0])
    assert (red > 200) is (scheme == "light")


def test_print_is_light_whole_and_without_controls(visit):
    page = visit("joint", color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator(".player").is_visible() and not page.locator(".play").first.is_visible()
    assert page.evaluate(
        "[...document.querySelectorAll('.turn')].every(one => getComputedStyle(one).contentVisibility === 'visible')"
    )
    page.set_viewport_size({"width": 688, "height": 1000})  # A4 less its margins
    assert width_of(page) <= 688
    paper = page.pdf(format="A4")
    assert paper.startswith(b"%PDF") and 3 <= paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page ") <= 7


def test_four_hours_open_and_answer(visit):
    page = visit("four_hours")
    page.evaluate("document.querySelector('.turn[data-at=\"288\"] .who a').click()")
    assert page.locator(".turn.now").get_attribute("id") == "t100"
