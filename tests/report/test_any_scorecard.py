"""Whatever a call holds, its page is whole, says every word that was said, and runs nothing but its own script."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.records import ROLES, BehaviourScore, Call, Evidence, ListeningQuality, Participant, SpeechSegment, Turn
from pipeline.report.scorecard_page import page_of, scorecard_page

from .conftest import scorecard_of
from .test_scorecard_page import read

SPEAKERS = ("A", "B", "C", "<b>")
texts = st.one_of(
    st.text(max_size=60), st.sampled_from(["</script><script>x()</script>", "\"'>&amp;", "\u202eabc", "\x00\ud800"])
)
seconds = st.one_of(st.none(), st.floats(0, 20_000))


@st.composite
def calls(draw):
    turns = draw(st.lists(st.builds(Turn, st.sampled_from(SPEAKERS), texts, seconds, seconds), max_size=6))
    people = [
        Participant(speaker, draw(st.one_of(st.none(), texts)), draw(st.sampled_from(ROLES)))
        for speaker in draw(st.lists(st.sampled_from(SPEAKERS), unique=True))
    ]
    spoken = st.builds(SpeechSegment, st.sampled_from(SPEAKERS), st.floats(0, 100), st.floats(0, 100))
    return Call(
        call_id=draw(texts),
        call_type=draw(st.sampled_from(["discovery", "demo", "joint"])),
        turns=tuple(turns),
        participants=tuple(people),
        duration=draw(seconds),
        quality=ListeningQuality(draw(texts), word_confidence=draw(st.one_of(st.none(), st.floats(0, 1)))),
        started_at=draw(st.one_of(st.none(), texts)),
        speech=tuple(draw(st.lists(spoken, max_size=4))),
    )


@st.composite
def behaviours(draw, call, rubric):
    made = []
    for one in rubric.behaviours:
        level = draw(st.sampled_from([None, 0, 1, 2, 3]))
        evidence = draw(
            st.lists(
                st.builds(
                    Evidence, st.integers(-1, 8), seconds, seconds, st.sampled_from(SPEAKERS), st.sampled_from(ROLES),
                    texts, st.lists(texts, max_size=2).map(tuple),
                ),
                max_size=2,
            )
        )  # fmt: skip
        searched = draw(st.one_of(st.none(), st.tuples(st.integers(0, 9), st.integers(0, 9))))
        made.append(
            BehaviourScore(
                one.name,
                level,
                (0.1, 0.2, 0.3, 0.4),
                draw(texts) if level is None else None,
                (),
                (),
                tuple(evidence),
                searched,
            )
        )
    return tuple(made)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_scorecard_makes_a_page(data, rubric):
    call = data.draw(calls())
    plain = scorecard_of(replace(call, turns=(), speech=()), (), rubric)
    scorecard = replace(plain, call=call, behaviours=data.draw(behaviours(call, rubric)))
    html = scorecard_page(scorecard, rubric, audio="audio.mp3")
    html.encode("utf-8")
    root = read(html)
    assert len(list(root.all("script"))) == 1
    assert len(list(root.all("li", class_="turn"))) == len(call.turns)
    said = ["".join(piece.text for piece in turn.pieces) for turn in page_of(scorecard, rubric, audio=None).turns]
    assert said == [turn.text for turn in call.turns]
