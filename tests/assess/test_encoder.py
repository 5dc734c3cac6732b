import pytest

from pipeline.assess.encoder import Encoder, base_encoder, batch_of, join, speaks_for
from pipeline.assess.passages import Line
from pipeline.assess.reading import cut
from pipeline.records import BEHAVIOURS, JUDGED

CALL = [
    Line(True, "Shall we say Tuesday at ten?"),
    Line(False, "Tuesday is fine."),
    Line(True, "I'll send the invite."),
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return base_encoder()


def test_a_window_marks_pieces_sides_and_characters(encoder: Encoder) -> None:
    made = cut(encoder, CALL)
    batch = batch_of(encoder, made.lines, made.pieces, made.windows[0])
    for slot, line in enumerate(CALL):
        tokens = batch.pieces[0, slot].nonzero()[:, 0].tolist()
        first, last = batch.offsets[0][tokens[0]], batch.offsets[0][tokens[-1]]
        assert (first[0], last[1]) == (0, len(line.text) - 1), "the mark at its end is not read"
        assert bool(batch.seller[0, tokens[0]]) is line.seller
    assert batch.cues[0, :, :4].tolist() == [[1, 1, 0, 1], [1, 0, 0, 0], [0, 0, 1, 1]]


def test_buyers_can_only_show_their_yes() -> None:
    shows = {(JUDGED[b], o) for b, row in enumerate(speaks_for()[False]) for o, one in enumerate(row) if one}
    assert {(b, o) for b, o in shows if b in BEHAVIOURS} == {("agenda", 3), ("next_steps", 4)}


def test_a_rep_can_set_the_purpose_of_a_meeting_and_own_its_actions() -> None:
    shows = {(JUDGED[b], o) for b, row in enumerate(speaks_for()[False]) for o, one in enumerate(row) if one}
    assert {b for b, _ in shows - {("agenda", 3), ("next_steps", 4)}} == {"meeting_purpose", "action_items"}
    assert {o for b, o in shows if b == "action_items"} == {0, 1, 2, 3}


def test_padding_changes_no_state(encoder: Encoder) -> None:
    import torch

    short, long = cut(encoder, CALL[:1]), cut(encoder, CALL * 3)
    alone = batch_of(encoder, short.lines, short.pieces, short.windows[0])
    both = join([alone, batch_of(encoder, long.lines, long.pieces, long.windows[0])])
    size = alone.ids.shape[1]
    with torch.inference_mode():
        assert torch.allclose(encoder.states(both)[0, :size], encoder.states(alone)[0], atol=1e-4)


def test_states_are_those_of_the_published_network(encoder: Encoder) -> None:
    import torch

    made = cut(encoder, CALL)
    batch = batch_of(encoder, made.lines, made.pieces, made.windows[0])
    with torch.inference_mode():
        published = encoder.network(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
        assert torch.allclose(encoder.states(batch), published, atol=1e-4)
        halfway = encoder.finish(encoder.embed(batch, 3), batch, 3)
        assert torch.allclose(halfway, published, atol=1e-4)


def test_tuned_layers_replace_the_published_ones(encoder: Encoder) -> None:
    import torch

    name = "encoder.layer.5.output.dense.bias"
    tuned = base_encoder({name: torch.full((encoder.width,), 0.5).half()})
    assert torch.equal(tuned.network.state_dict()[name], torch.full((encoder.width,), 0.5))


def test_a_turn_longer_than_the_network_is_read(encoder: Encoder) -> None:
    made = cut(encoder, [Line(True, "crate " * 900)])
    assert all(batch_of(encoder, made.lines, made.pieces, w).ids.shape[1] <= 512 for w in made.windows)
