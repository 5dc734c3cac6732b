"""What had just been said when a manager took over."""

import pytest

from pipeline.assess.triggers import cuts_in, raised_in, said_before, trigger_of
from pipeline.records import Turn
from tests.builders import timed_call, untimed_call, words


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I have an offer from Blue Star, and they are cheaper.", "competitor"),
        ("So how does that compare with what Marlock does?", "competitor"),
        ("Why not just do it by hand, as we do now?", "competitor"),
        ("We could build our own.", "competitor"),
        ("What does it cost?", "price"),
        ("How much is that for nine of us?", "price"),
        ("what\u2019s that come to then", "price"),
        ("Your pricing looks expensive to me.", "price"),
        ("I'm not convinced, to be frank.", "objection"),
        ("I don\u2019t believe that.", "objection"),
        ("We tried that two years ago.", "objection"),
        ("That worries me more than the rest.", "objection"),
        ("Why would I need this at all?", "objection"),
        ("And how does it top itself up?", None),
        ("It's Tuesday, and the van is late again.", None),
        ("We lose nine thousand a month in overtime, that is the cost of it.", None),
        ("", None),
    ],
)
def test_triggers_by_what_the_buyer_raised(text, kind):
    assert raised_in(text) == kind


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("So that would be, um. So we, er, I believe one year on the, uh.", "hesitation"),
        ("I'd have to look that up for you.", "hesitation"),
        ("We don't publish that, I am not quite sure, one moment.", "hesitation"),
        ("um", "hesitation"),
        ("There is a radar head on the top of the tank, and what that does is", "price"),
        ("Yes.", "price"),
    ],
)
def test_triggers_by_how_the_rep_answered(answer, kind):
    """A rep who was cut off did not hesitate: then it is what the buyer had asked."""
    call = untimed_call(("R", words(9)), ("C", "And what does it cost?"), ("R", answer), ("M", words(30)))
    assert trigger_of(call, 3) == kind


def test_triggers_an_earlier_hesitation_is_over_once_the_buyer_has_spoken():
    call = untimed_call(("R", "Um, I'd have to look."), ("C", "Fine, and the colour?"), ("M", words(30)))
    assert trigger_of(call, 2) is None


def test_triggers_look_back_three_things_said_and_no_further():
    between = (("R", words(9)), ("C", words(9)))
    near = untimed_call(("C", "What does it cost?"), *between, ("M", words(30)))
    far = untimed_call(("C", "What does it cost?"), *between, *between, ("M", words(30)))
    assert (trigger_of(near, 3), trigger_of(far, 5)) == ("price", None)


def test_triggers_pass_over_back_channels_and_the_managers_own_words():
    call = untimed_call(("C", "What does it cost?"), ("M", "Our price is too high."), ("R", "right"), ("M", words(30)))
    assert trigger_of(call, 3) == "price"
    assert said_before(call, 3) == 0


@pytest.mark.parametrize(("gap", "kind"), [(0.6, None), (3.5, "hesitation")])
def test_triggers_a_long_pause_is_hesitation(gap, kind):
    call = timed_call(
        ("R", 0, 5, words(9)), ("C", 6, 9, "And how does it top itself up?"), ("M", 9 + gap, 30, words(9))
    )
    assert trigger_of(call, 2) == kind


def test_triggers_nothing_before_the_first_turn():
    call = untimed_call(("M", words(30)), ("C", words(9)))
    assert (trigger_of(call, 0), said_before(call, 0)) == (None, None)


@pytest.mark.parametrize(
    ("text", "takes"),
    [
        ("Let me jump in here, Kyle. It's us up to the point of connection.", True),
        ("I\u2019ll take that, Aoife.", True),
        ("Madam, if I may.", True),
        ("can i just come in there ollie", True),
        ("Six hours, that is long.", False),
        ("You can jump in the van at nine.", False),
        (words(60) + " let me take that", False),
    ],
)
def test_triggers_a_manager_who_takes_the_floor_says_so(text, takes):
    assert cuts_in(Turn("M", text)) is takes
