from pipeline.assess.sides import TURNS, chosen_turns, seller_probability

SELLER = [
    "Thanks for making the time. I'd like to understand how you run the returns today and then show you two screens.",
    "So what happens when a pallet comes back damaged, who gets to hear of it?",
    "What we do for people like you is take that first look off their hands.",
    "I'll send the invite for Thursday at ten and bring our engineer along.",
]
BUYER = [
    "Yeah, that's fine, I've got until quarter past.",
    "Well, it sits in the corner until Dave finds it, and we get the fine at the end of the month.",
    "We looked at another supplier last year and my boss said it was too dear.",
    "Thursday works for me, I'll have to ask my boss about the budget though.",
]


def test_the_seller_and_the_buyer_are_told_apart() -> None:
    found = seller_probability({"A": SELLER, "B": BUYER})
    assert found["A"] > 0.9
    assert found["B"] < 0.1


def test_names_of_speakers_do_not_matter() -> None:
    one = seller_probability({"A": SELLER, "B": BUYER})
    other = seller_probability({"S2": BUYER, "S1": SELLER})
    assert (one["A"], one["B"]) == (other["S1"], other["S2"])


def test_silence_is_not_guessed() -> None:
    assert seller_probability({}) == {}
    assert seller_probability({"A": [], "B": [" "]}) == {"A": 0.5, "B": 0.5}


def test_one_speaker_alone_gets_a_probability() -> None:
    assert 0 <= seller_probability({"A": SELLER})["A"] <= 1


def test_turns_are_spread_over_a_long_call() -> None:
    turns = [f"this is turn number {n} of the call" for n in range(300)] + ["yes"]
    chosen = chosen_turns(turns)
    assert len(chosen) == TURNS
    assert chosen[0] == turns[0]
    assert turns.index(chosen[-1]) > 290
