"""The corpus of the task `scale`: right replies are right, words are those of the embedded corpus, questions are harder."""

from __future__ import annotations

import numpy as np
import pytest

from fitness.assets import corpus, harder
from fitness.assets.harder import HARDER
from fitness.tasks.embedded.language import items
from fitness.tasks.secret import Secret
from tests.fitness.test_corpus import WORDS, said, truth

SECRET = Secret(b"s" * 32)


def right_answer(genre: str, item: corpus.Item) -> str:
    """Work the answer out from the item's own words, by other means than the generator's."""
    if genre != "chat":
        return truth(genre, item)
    first, second, attribute = (int(WORDS[token].lstrip("entiyarbu")) for token in item.tokens[1:4])
    people, values = harder.FIRST * harder.SECOND, corpus.VALUES
    facts = np.random.default_rng(8).integers(0, values, size=(people, corpus.ATTRIBUTES))
    return f"value{attribute}.{facts[first * harder.SECOND + second - harder.FIRST, attribute]}"


@pytest.mark.parametrize("genre", corpus.GENRES)
def test_a_harder_reply_is_right_exactly_when_asked_to_be(genre: str) -> None:
    draw = corpus.Sampler(np.random.default_rng(0))
    for right in [True, False] * 300:
        item = HARDER.reply(genre, draw, HARDER.question(genre, draw), right, corpus.register(draw, right))
        assert (said(item) == right_answer(genre, item)) is right
        assert max(item.tokens) < corpus.VOCABULARY


def test_documents_ask_short_programs_often_and_an_instance_asks_all_lengths_alike() -> None:
    draw, genre = corpus.Sampler(np.random.default_rng(1)), HARDER.genres["code"]
    for ask, shares in ((genre.asks, (0.4, 0.3, 0.2, 0.1)), (genre.examines, (0.25,) * 4)):
        lines = [1 + len(ask(draw)) // 5 for _ in range(4000)]
        assert [np.mean(np.array(lines) == n) for n in (2, 3, 4, 5)] == pytest.approx(shares, abs=0.03)


def test_long_programs_assign_names_anew() -> None:
    draw = corpus.Sampler(np.random.default_rng(1))
    found = [HARDER.reply("code", draw, HARDER.question("code", draw), True, 0).tokens for _ in range(500)]
    lines = [" ".join(WORDS[token] for token in tokens[1:]).split(" > ")[0].split(" , ") for tokens in found]
    assert {len(program) for program in lines if len({line[0] for line in program}) == len(program)} == {2, 3}


def test_common_people_share_no_first_name_and_an_instance_asks_of_all_alike() -> None:
    draw, genre, people = corpus.Sampler(np.random.default_rng(2)), HARDER.genres["chat"], harder.FIRST * harder.SECOND
    documents, examined = (np.array([ask(draw)[0] for _ in range(20_000)]) for ask in (genre.asks, genre.examines))
    common = np.bincount(documents, minlength=people).argsort()[-32:]
    assert len(set(common // harder.SECOND)) > 8
    shares = [np.sort(np.bincount(found, minlength=people))[-32:].sum() / 20_000 for found in (documents, examined)]
    assert shares[0] > 0.5
    assert shares[1] < 0.1


def test_harder_documents_have_the_length_of_the_others_and_repeat_with_their_generator() -> None:
    first, again = (HARDER.batch(np.random.default_rng([3, 4]), 20) for _ in range(2))
    assert first.shape == (20, corpus.SEQUENCE + 1)
    assert np.array_equal(first, again)


@pytest.mark.parametrize("genre", corpus.GENRES)
def test_train_and_test_share_no_harder_question_and_labels_are_balanced(genre: str) -> None:
    asked = {}
    for part in ("train", "test"):
        drawn, y = items(genre, SECRET, part, 400, HARDER)
        assert y.sum() == 200
        assert [said(item) == right_answer(genre, item) for item in drawn] == y.astype(bool).tolist()
        asked[part] = {item.key[:1] if genre == "chat" else item.key for item in drawn}
    assert not asked["test"] & asked["train"]
