"""The list of scored calls: every call with its levels, links that stay beside the page, and hostile names."""

import json
from dataclasses import replace

from pipeline.assess.scorecard import to_dict
from pipeline.report.index_page import index_page


def public(scorecard, **call):
    return json.loads(json.dumps(to_dict(replace(scorecard, call=replace(scorecard.call, **call)))))


def test_index_lists_each_call_with_its_levels_the_newest_first(joint):
    old = public(joint, call_id="old", started_at="2026-01-01")
    new = public(joint, call_id="new one", started_at="2026-05-01T10:00:00+02:00")
    page = index_page([old, new])
    assert "2 calls scored" in page
    assert page.index("./calls/new%20one/scorecard.html") < page.index("./calls/old/scorecard.html")
    assert page.count("not sure enough") == 2  # one withheld behaviour a call
    assert page.count("manager takes over at 2:23") == 2


def test_index_says_what_failed_and_escapes_everything(joint):
    hostile = public(joint, call_id="x", details=(("company", "<script>alert(1)</script>"),))
    page = index_page([hostile], [("lost", "lost.wav: <b>is empty</b>")])
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "lost.wav: &lt;b&gt;is empty" in page


def test_index_without_calls_says_what_to_do():
    assert "No call was scored yet" in index_page([])


def test_index_of_calls_with_different_rubrics_shows_each_its_own(joint):
    talk_only = public(replace(joint, behaviours=()), call_id="review")
    page = index_page([public(joint), talk_only])
    assert page.count("<dt>Agenda</dt>") == 1
