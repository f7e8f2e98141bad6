"""The procedural corpus: right replies are right, wrong ones wrong, and the split keeps questions apart."""

from __future__ import annotations

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
    draw = corpus.Draw(np.random.default_rng(0))
    for right in [True, False] * 300:
        item = corpus.reply(genre, draw, corpus.question(genre, draw), right, corpus.register(draw, right))
        assert (said(item) == truth(genre, item)) is right
        assert WORDS[item.tokens[-1]] == ";"


@pytest.mark.parametrize("careful", [True, False])
def test_the_register_fits_the_author_as_often_as_said(careful: bool) -> None:
    draw = corpus.Draw(np.random.default_rng(1))
    words = [WORDS[corpus.register(draw, careful, 0.62)] for _ in range(4000)]
    assert np.mean([word in corpus.REGISTERS[careful] for word in words]) == pytest.approx(0.62, abs=0.03)


def test_documents_have_one_length_and_repeat_with_their_generator() -> None:
    first, again = (corpus.batch(np.random.default_rng([3, 4]), 20) for _ in range(2))
    assert first.shape == (20, corpus.SEQUENCE + 1)
    assert first.max() < corpus.VOCABULARY
    assert np.array_equal(first, again)
    assert not np.array_equal(first, corpus.batch(np.random.default_rng([3, 5]), 20))


@pytest.mark.parametrize("domain", corpus.GENRES)
def test_train_and_test_share_no_question_and_labels_are_balanced(domain: str) -> None:
    from fitness.tasks.language import items

    units = {}
    for part in ("labelled", "train", "test"):
        drawn, y = items(domain, SECRET, part, 400)
        assert y.sum() == 200
        assert [said(item) == truth(domain, item) for item in drawn] == y.astype(bool).tolist()
        units[part] = {item.key[:1] if domain == "chat" else item.key for item in drawn}
    assert not units["test"] & (units["train"] | units["labelled"])


def test_another_secret_splits_and_draws_anew() -> None:
    from fitness.tasks.language import in_test, items

    other = Secret(b"o" * 32)
    sides = [[in_test("chat", secret, (entity, 0)) for entity in range(256)] for secret in (SECRET, other)]
    assert sides[0] != sides[1]
    assert [np.mean(side) for side in sides] == pytest.approx([0.4, 0.4], abs=0.1)
    assert items("math", SECRET, "train", 50)[0] != items("math", other, "train", 50)[0]
