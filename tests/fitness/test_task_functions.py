"""The functions of a task's file, and what it declares: held to their promises, and blamed by name when they break them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evolve
from fitness import tasks
from fitness.contracts import checking
from fitness.contracts.contract import Array
from fitness.contracts.symmetries import Symmetry
from fitness.nouns import Measure, TaskFault
from fitness.registry import UsageError
from fitness.tasks.own import OwnTask
from fitness.tasks.secret import Secret

SECRET = Secret(b"s" * 32)
GIVEN: dict[str, Any] = {"search": ["a"], "public": [evolve.array("x", "n d")], "answer": evolve.answer("n")}
FILE = """\
import numpy as np
from evolve import Draw, Task, answer, array

mine = Task("mine", search=["a"], public=[array("x", "n d")], answer=answer("n"))


@mine.draw
def draw(domain, rng):
    return Draw({"x": rng.random((5, 2), np.float32)}, {"y": np.ones(5)}, 0, 1)


@mine.score
def score(answer, private):
    return float(answer.mean())
"""


def task(**others: Any) -> OwnTask:
    made = OwnTask("mine", **{**GIVEN, **others})
    made.draw(lambda domain, rng: evolve.Draw({"x": rng.random((5, 2))}, {}, 0.0, 1.0))
    made.score(lambda answer, private: float(answer.mean()))
    return made


def raises(*arguments: object) -> float:
    raise ZeroDivisionError("what\n a pity")


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (raises, r"score\(\) of the task mine raised ZeroDivisionError at line \d+ of .*: what a pity"),
        (lambda answer, private: float("nan"), r"score\(\) of the task mine returned nan, expected a number, finite"),
        (lambda answer, private: np.ones(2), r"score\(\) of the task mine returned ndarray, expected a number"),
        (lambda answer, private: None, r"returned NoneType, expected a number"),
        (lambda answer, private: "0.3", r"returned str, expected a number"),
        (lambda answer, private: 1.5, r"returned 1\.5, outside of its scale \[0, 1\]"),
        (lambda answer, private: (0.5, -1.0), r"returned the standard error -1, which is below 0"),
        (lambda answer, private: (0.5, float("inf")), r"returned inf, expected a standard error"),
        (lambda answer, private: private["moon"], r"raised KeyError at line"),
        (lambda answer, private: exit(3), r"score\(\) of the task mine raised SystemExit"),
    ],
)
def test_a_score_that_is_none_is_the_tasks_fault_in_one_sentence(score: Callable[..., Any], said: str) -> None:
    made = task(scale=(0, 1))
    made.score(score)
    with pytest.raises(TaskFault, match=said) as caught:
        made.finished().scoring.score(np.ones(3, np.float32), {}, 0.0, 1.0)
    assert "\n" not in str(caught.value)


def test_a_tensor_is_no_score() -> None:
    torch = pytest.importorskip("torch")
    made = task()
    made.score(lambda answer, private: torch.tensor(0.5))
    with pytest.raises(TaskFault, match="returned Tensor, expected a number"):
        made.finished().scoring.score(np.ones(3, np.float32), {}, 0.0, 1.0)


@pytest.mark.parametrize("number", [0.25, np.float32(0.25), (0.25, 0.05), (np.float64(0.25), np.float32(0.05)), 0, np.int64(0)])
def test_a_score_is_a_number_and_may_have_a_standard_error(number: Any) -> None:
    made = task()
    made.score(lambda answer, private: number)
    score = made.finished().scoring.score(np.ones(3, np.float32), {}, -0.25, 0.75)
    assert score.pgr == score.value + 0.25
    assert score.stderr == pytest.approx(0.05 if isinstance(number, tuple) else 0.0)
    assert (score.floor, score.ceiling, score.n) == (-0.25, 0.75, 3)


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (lambda answer, public: {}, "behaviour.. of the task mine returned no 'flips'"),
        (lambda answer, public: 3, "returned no 'flips'"),
        (lambda answer, public: {"flips": "many"}, "behaviour.. of the task mine returned str, expected flips"),
        (raises, "behaviour.. of the task mine raised ZeroDivisionError"),
    ],
)
def test_a_behaviour_that_is_none_is_the_tasks_fault(behaviour: Callable[..., Any], said: str) -> None:
    made = task(measures=[Measure("flips", 0, 1, 4), Measure("size", 7, 10, 6)])
    made.behaviour(behaviour)
    with pytest.raises(TaskFault, match=said):
        made.finished().scoring.behaviour(np.ones(3, np.float32), dict, {})


def test_measures_of_ones_own_and_of_any_answer_are_axes() -> None:
    made = task(measures=[Measure("flips", 0, 1, 4), Measure("size", 7, 10, 6)])
    made.behaviour(lambda answer, public: {"flips": float((answer < 0).mean()), "more": 7.0})
    finished = made.finished()
    measured = finished.scoring.behaviour(np.array([-1, 1, 1, 1], np.float32), dict, {})
    assert measured == {"flips": 0.25, "evenness": pytest.approx(0.75), "above_mean": 0.75}
    assert set(finished.contract.behaviour) == set(measured)
    assert [measure.name for measure in finished.other_measures] == ["evenness", "above_mean"]
    assert [measure.name for measure in task().finished().measures] == ["evenness", "size"]


@pytest.mark.parametrize("answer", [np.zeros(4), np.full((3, 2), 7.0), np.array([0.0, 0, 0, 1e6]), np.eye(3)])
def test_what_is_measured_of_any_answer_is_a_share(answer: np.ndarray) -> None:
    measured = task().finished().scoring.behaviour(answer.astype(np.float32), dict, {})
    assert all(0 <= number <= 1 for number in measured.values())


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (raises, r"draw\(\) of the task mine raised ZeroDivisionError at line \d+"),
        (lambda domain, rng: None, r"draw\(\) of the task mine returned NoneType, and must return a Draw"),
        (lambda domain, rng: evolve.Draw({}, {}, None, 1), "the floor of an instance is None, and must be a finite number"),
        (lambda domain, rng: evolve.Draw({}, {}, 0, float("nan")), "the ceiling of an instance is nan"),
    ],
)
def test_a_draw_that_is_none_is_the_tasks_fault(draw: Callable[..., Any], said: str) -> None:
    made = task()
    made.draw(draw)
    with pytest.raises(TaskFault, match=said):
        made.source({}).draw("a", SECRET)


def test_an_instance_comes_from_the_vaults_key_alone() -> None:
    source = task().source({})
    one, again, other = (source.draw("a", Secret(key * 32)).public["x"] for key in (b"a", b"a", b"b"))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"search": "a"}, "domains are a list of names"),
        ({"search": []}, "needs a search domain"),
        ({"answer": evolve.answer("m")}, "'m' is a dimension of no public array: there are d, n, and numbers"),
        ({"student": "classes"}, "'classes' is a dimension of no public array"),
        ({"public": [evolve.array("seed", "n")]}, "'seed' cannot name a public array"),
        ({"public": [evolve.array("x", "n"), evolve.array("x", "n")]}, "'x' cannot name a public array"),
        ({"public": [evolve.array("x", "n", "float16")]}, "'x' is declared as 'float16': choose among float32"),
        ({"public": [evolve.array("x", "n, d")]}, "'x' has dimensions 'n, d'"),
        ({"public": [evolve.array("x", "n d", "text")]}, "'x' is declared as text, which has one dimension"),
        ({"symmetries": [evolve.permute("rows")]}, r"permute\('rows'\) names no dimension of a public array"),
        ({"symmetries": [evolve.needs("d")]}, r"needs\('d'\) names no public array"),
        ({"symmetries": [evolve.apart("d")]}, r"apart\('d'\) needs an answer whose first dimension it is"),
        (
            {"public": [evolve.array("x", "n"), evolve.array("o", "m", optional=True)], "answer": evolve.answer("m")},
            "'m' is a .*opt",
        ),
    ],
)
def test_a_declaration_that_contradicts_itself_is_a_sentence(others: Mapping[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        task(**others)


MANY = (
    evolve.array("x", "n d"),
    evolve.array("s", ""),
    evolve.array("t", "n", "text"),
    evolve.array("i", "n", "int64"),
    evolve.array("p", "n c", values="probabilities"),
    evolve.array("near", "m", "int64", values="n"),
    evolve.array("one", "m 2"),
)


@pytest.mark.parametrize(
    ("symmetries", "said"),
    [
        ([evolve.turn("s")], r"turn\('s'\) is of a single number"),
        ([evolve.needs("s")], r"needs\('s'\) is of a single number"),
        ([evolve.turn("i")], r"turn\('i'\) is of int64: only arrays of float32 or float64 can be turned"),
        ([evolve.turn("t")], r"turn\('t'\) is of text: only arrays of float32"),
        ([evolve.turn("p")], r"turn\('p'\) would turn the array 'p', whose rows are probabilities"),
        ([evolve.permute("n"), evolve.permute("n")], "'permute_n' names two probes: declare it once"),
        ([evolve.permute("n", "rows"), evolve.permute("m", "rows")], "'rows' names two probes"),
        ([evolve.repeats()], "'determinism' names two probes"),
        ([evolve.exchange("2")], r"exchange\('2'\) is of a number: give the dimension a name"),
        ([evolve.rename("k")], r"rename\('k'\) names no dimension of a public array"),
        ([evolve.apart("n")], r"apart\('n'\) shows some of the n, and array 'near' holds places along all"),
    ],
)
def test_a_symmetry_that_no_array_can_have_is_a_sentence(symmetries: list[Symmetry], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        task(public=MANY, symmetries=symmetries)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (
            evolve.array("y", "n", "int64", values="banana"),
            r"values='banana', a dimension of no public array: .* rename\('banana'\)",
        ),
        (evolve.array("y", "n", values="n"), "values='n', places along it, and is declared as float32"),
        (evolve.array("y", "n", "bool", values="n"), "values='n', places along it, and is declared as bool"),
        (evolve.array("y", "n", "text", values="3"), "values='3', places along it, and is declared as text"),
        (
            evolve.array("y", "n", "int64", values="0"),
            "values='0': write .probabilities., the name of a dimension, or a number",
        ),
        (evolve.array("y", "n", "int64", values="n d"), "values='n d': write"),
        (evolve.array("y", "n", "int64", values="probabilities"), "values='probabilities', which are floats along a last"),
        (evolve.array("y", "", values="probabilities"), "values='probabilities', which are floats along a last dimension"),
    ],
)
def test_values_that_no_array_can_hold_are_a_sentence(array: Array, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        task(public=[evolve.array("x", "n d"), array])


def test_numbers_that_are_renamed_need_no_array_of_those_who_bear_them() -> None:
    who = evolve.array("who", "n", "int64", values="k")
    made = task(public=[evolve.array("x", "n d"), who], symmetries=[evolve.rename("k")]).finished()
    assert "rename_k" in made.contract.probes
    assert made.contract.members("k", {"x": np.ones((2, 1)), "who": np.array([0, 4])}) == 5


def test_what_a_file_lacks_is_named() -> None:
    with pytest.raises(UsageError, match=r"the task mine lacks a function: write @task.draw def draw\(domain, rng\)"):
        OwnTask("mine", **GIVEN).finished()
    made = OwnTask("mine", **GIVEN)
    made.draw(lambda domain, rng: evolve.Draw({}, {}, 0, 1))
    with pytest.raises(UsageError, match=r"write @task.score def score\(answer, private\)"):
        made.finished()
    with pytest.raises(UsageError, match="has the measure 'flips' and no function that measures it"):
        task(measures=[Measure("flips", 0, 1, 4), Measure("size", 7, 10, 6)]).finished()


def test_a_file_and_the_object_in_it_are_the_same_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_ADMITTED", {})
    path = tmp_path / "question.py"
    path.write_text(FILE)
    named = tasks.load(tasks.admit(f"{path}:mine"))
    assert named.name.startswith("mine-")
    assert (named.source, named.seeds) == (f"{path}:mine.source", (tmp_path / "baselines",))
    from fitness.registry import load

    handed = tasks.load(tasks.register(load(f"{path}:mine")))
    assert (handed.name, handed.source, handed.reference) == (named.name, named.source, named.reference)
    with pytest.raises(UsageError, match=r"question\.py defines no task"):
        tasks.admit(str(path))


def test_a_task_that_stands_in_no_file_cannot_be_drawn_elsewhere() -> None:
    namespace: dict[str, Any] = {}
    exec(FILE, namespace)
    with pytest.raises(UsageError, match="write the task mine into a file: its instances are drawn in another process"):
        tasks.register(namespace["mine"])


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"seconds": 0}, "seconds is a number above 0, got 0"),
        ({"seconds": "10"}, "seconds is a number above 0, got '10'"),
        ({"seconds": float("nan")}, "seconds is a number above 0"),
        ({"margin": -1}, "margin is a number of at least 0"),
        ({"least_instances": 0}, "least_instances is a whole number of at least 2"),
        ({"least_instances": True}, "least_instances is a whole number of at least 2"),
        ({"scale": (1, 0)}, "scale is the lowest and the highest number"),
        ({"scale": 1}, "scale is the lowest and the highest number"),
        ({"brief": 5}, "brief is a text, got 5"),
        ({"student": "0"}, "a student of fewer than two classes"),
        ({"search": ["a", "a"]}, "the domain 'a' is named twice"),
        ({"held_out": ["b", "a"]}, "the domain 'a' is named twice"),
        ({"answer": evolve.answer("n", 1, 0)}, "the lowest number comes first"),
        ({"answer": evolve.answer("n", 0, float("nan"))}, "the lowest number comes first"),
        ({"measures": [Measure("b", 0, 1, 0)]}, "the measure 'b' needs a bin"),
        ({"measures": [Measure("b", 1, 1, 3)]}, "the measure 'b' needs a bin, and edges of which the lower comes first"),
    ],
)
def test_a_declaration_that_no_search_could_keep_to_is_refused_where_it_stands(others: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        task(**others)


def test_a_task_is_scored_on_one_number_too() -> None:
    made = task(answer=evolve.answer(""))
    made.score(lambda answer, private: float(answer))
    score = made.finished().scoring.score(np.array(0.25, np.float32), {}, 0.0, 1.0)
    assert (score.pgr, score.n) == (0.25, 1)


@pytest.mark.parametrize("changes", ["answer -= 1", "private['y'][:] = 0", "private['y'].sort()"])
def test_a_score_that_changes_what_it_is_handed_is_the_tasks_fault(changes: str) -> None:
    made = task()
    scope: dict[str, Any] = {}
    exec(f"def score(answer, private):\n    {changes}\n    return 0.0\n", scope)
    made.score(scope["score"])
    answer, private = np.ones(3, np.float32), {"y": np.array([3.0, 1.0, 2.0])}
    with pytest.raises(TaskFault, match=r"score\(\) of the task mine raised ValueError.*read-only"):
        made.finished().scoring.score(answer, private, 0.0, 1.0)
    assert answer.tolist() == [1, 1, 1]
    assert private["y"].tolist() == [3, 1, 2]


@pytest.mark.parametrize(
    ("public", "private", "floor", "said"),
    [
        ([np.ones((5, 2), np.float32)], {}, 0.0, "takes its public arrays by name, in a dictionary, and got list"),
        ({"x": np.ones((5, 2), np.float32)}, None, 0.0, "takes its private arrays by name, in a dictionary, and got NoneType"),
        ({"x": np.ones((5, 2), np.float32)}, {"y": [[1], [1, 2]]}, 0.0, "the private array y cannot be made an array"),
        ({"x": np.ones((5, 2), np.float32)}, {}, np.zeros(2), "the floor of an instance is array"),
    ],
)
def test_a_draw_that_is_none_is_said_with_the_array(public: Any, private: Any, floor: Any, said: str) -> None:
    contract = task().finished().contract
    with pytest.raises(TaskFault, match=said):
        checking.check_anchors(floor, len(checking.flat(contract, public, private)))


def test_an_anchor_may_be_an_array_of_one_number() -> None:
    assert checking.check_anchors(np.array(-1.0), np.float32(2)) == (-1.0, 2.0)


@pytest.mark.parametrize("texts", [5, "a text", ["a", 5], ["\ud800"]])
def test_what_is_no_list_of_strings_is_said(texts: Any) -> None:
    contract = task(public=[evolve.array("w", "n", "text")]).finished().contract
    with pytest.raises(TaskFault, match="the public array w"):
        checking.flat(contract, {"w": texts}, {})
