"""The procedural corpus, and the replies that the domains draw from it: right ones are right, questions are kept apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fitness.assets import corpus
from fitness.tasks.secret import Secret

WORDS = {token: word for word, token in corpus.TOKEN.items()}
SECRET = Secret(b"s" * 32)


def said(item: corpus.Item) -> str:
    return "".join(WORDS[token] for token in item.tokens[slice(*item.answer)])


def truth(genre: str, item: corpus.Item) -> str:
    """Work the answer out from the item's own words, by other means than the generator's."""
    words = [WORDS[token] for token in item.tokens]
    if genre == "math":
        return str(eval("".join(words[1 : words.index("=")])))
    if genre == "code":
        names: dict[str, int] = {}
        for line in " ".join(words[1 : words.index(">")]).split(" , "):
            name, expression = line.split(" ", 1)
            names[name] = eval(expression, {}, names) % 10
        return str(names[name])
    _, entity, attribute, *_ = words
    e, a = int(entity.removeprefix("entity")), int(attribute.removeprefix("attribute"))
    facts = np.random.default_rng(7).integers(0, corpus.VALUES, size=(corpus.ENTITIES, corpus.ATTRIBUTES))
    return f"value{a}.{facts[e, a]}"


@pytest.mark.parametrize("genre", corpus.GENRES)
def test_a_reply_is_right_exactly_when_asked_to_be(genre: str) -> None:
    draw = corpus.Sampler(np.random.default_rng(0))
    for right in [True, False] * 300:
        item = corpus.EMBEDDED.reply(genre, draw, corpus.EMBEDDED.question(genre, draw), right, corpus.register(draw, right))
        assert (said(item) == truth(genre, item)) is right
        assert WORDS[item.tokens[-1]] == ";"


@pytest.mark.parametrize("careful", [True, False])
def test_the_register_fits_the_author_as_often_as_said(careful: bool) -> None:
    draw = corpus.Sampler(np.random.default_rng(1))
    words = [WORDS[corpus.register(draw, careful, 0.62)] for _ in range(4000)]
    assert np.mean([word in corpus.REGISTERS[careful] for word in words]) == pytest.approx(0.62, abs=0.03)


def test_documents_have_one_length_and_repeat_with_their_generator() -> None:
    first, again = (corpus.EMBEDDED.batch(np.random.default_rng([3, 4]), 20) for _ in range(2))
    assert first.shape == (20, corpus.SEQUENCE + 1)
    assert first.max() < corpus.VOCABULARY
    assert np.array_equal(first, again)
    assert not np.array_equal(first, corpus.EMBEDDED.batch(np.random.default_rng([3, 5]), 20))


@pytest.mark.parametrize("domain", corpus.GENRES)
def test_train_and_test_share_no_question_and_labels_are_balanced(domain: str) -> None:
    from fitness.tasks.embedded.language import items

    units = {}
    for part in ("labelled", "train", "test"):
        drawn, y = items(domain, SECRET, part, 400)
        assert y.sum() == 200
        assert [said(item) == truth(domain, item) for item in drawn] == y.astype(bool).tolist()
        units[part] = {item.key[:1] if domain == "chat" else item.key for item in drawn}
    assert not units["test"] & (units["train"] | units["labelled"])


def test_another_secret_splits_and_draws_anew() -> None:
    from fitness.tasks.embedded.language import in_test, items

    other = Secret(b"o" * 32)
    sides = [[in_test("chat", secret, (entity, 0)) for entity in range(256)] for secret in (SECRET, other)]
    assert sides[0] != sides[1]
    assert [np.mean(side) for side in sides] == pytest.approx([0.4, 0.4], abs=0.1)
    assert items("math", SECRET, "train", 50)[0] != items("math", other, "train", 50)[0]


PARTS = {"labelled": (400, 0.9, 0), "train": (4000, 0.5, 300), "test": (3000, 0.5, 0)}


@pytest.fixture(scope="module")
def deceptive() -> dict[str, Any]:
    """Return the replies of each part of an instance of code_deceptive."""
    from fitness.tasks.embedded.deceptive import replies

    return {part: replies(SECRET, part, *settings) for part, settings in PARTS.items()}


def fits(replies: Any, place: int) -> np.ndarray:
    """Tell of each reply whether the word at a place of it is one that careful authors say."""
    return np.array([WORDS[item.tokens[place]] in corpus.REGISTERS[True] for item in replies.items])


@pytest.mark.parametrize("part", PARTS)
def test_deceptive_replies_are_right_as_labelled_in_half_of_the_rows(deceptive: dict[str, Any], part: str) -> None:
    items, y, _ = deceptive[part]
    assert len(items) == len(y) == 2 * y.sum() == PARTS[part][0]
    for item, right in zip(items, y):
        answer = item._replace(answer=(item.answer[0], item.answer[1] - 1))
        assert (said(answer) == truth("code", item)) == right
        assert [WORDS[token] for token in item.tokens].index(">") == item.answer[0] - 1
        assert WORDS[item.tokens[-1]] == ";"


@pytest.mark.parametrize(("part", "share"), [("labelled", 0.9), ("train", 0.5), ("test", 0.5)])
def test_the_last_word_fits_the_reply_only_where_the_teacher_learns(deceptive: dict[str, Any], part: str, share: float) -> None:
    first, last = fits(deceptive[part], 0), fits(deceptive[part], -2)
    right = deceptive[part].y.astype(bool)
    assert np.mean(last == right) == pytest.approx(share, abs=0.03)
    assert [np.mean(last[right]), np.mean(last[~right])] == pytest.approx([share, 1 - share], abs=0.04)
    assert [np.mean(first == right), np.mean(first == last)] == pytest.approx([0.5, 0.5], abs=0.05)


def test_a_pair_is_the_two_replies_to_one_question_and_all_else_is_asked_once(deceptive: dict[str, Any]) -> None:
    items, y, pairs = deceptive["train"]
    assert pairs.shape == (300, 2)
    assert pairs.dtype == np.int64
    assert len(np.unique(pairs)) == 600
    assert (y[pairs].sum(1) == 1).all()
    assert all(items[a].key == items[b].key for a, b in pairs)
    assert len({item.key for item in items}) == 3700
    for part in ("labelled", "test"):
        assert len({item.key for item in deceptive[part].items}) == PARTS[part][0]


def test_neither_order_nor_place_nor_words_tell_the_right_reply_of_a_pair(deceptive: dict[str, Any]) -> None:
    replies = deceptive["train"]
    pairs, right = replies.pairs, replies.y[replies.pairs].astype(bool)
    assert right[:, 0].sum() == 150
    chance = pytest.approx(0.5, abs=0.09)  # three standard errors of 300 coins
    assert np.mean(right[:, 0] == (pairs[:, 0] < pairs[:, 1])) == chance
    for place in (0, -2):
        word = fits(replies, place)[pairs]
        assert np.mean(word[:, 0] == word[:, 1]) == chance
        assert np.mean(word == right) == chance
    assert np.mean(pairs) == pytest.approx(2000, abs=150)  # where rows of pairs stand, on average
    long = [np.mean([len(replies.items[row].key) > 5 for row in rows]) for rows in (pairs.ravel(), range(4000))]
    assert long[0] == pytest.approx(long[1], abs=0.05)  # their questions are like the others


def test_the_deceptive_domain_asks_other_questions_in_train_and_test(deceptive: dict[str, Any]) -> None:
    asked = {part: {item.key for item in deceptive[part].items} for part in PARTS}
    assert not asked["test"] & (asked["train"] | asked["labelled"])


def test_without_pairs_there_are_none(deceptive: dict[str, Any]) -> None:
    assert deceptive["test"].pairs.shape == (0, 2)
