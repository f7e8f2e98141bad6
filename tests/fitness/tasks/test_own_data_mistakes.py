"""Own data as people bring them: other orders and names of columns, other units, damaged files, arrays that are none."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evolve
from fitness.registry import UsageError
from fitness.tasks.data.checks import check
from fitness.tasks.data.pool import load, pool_of
from fitness.tasks.data.reading import read
from fitness.tasks.data.source import DataSource
from fitness.tasks.data.task import from_folder
from fitness.tasks.secret import Secret

Arrays = dict[str, np.ndarray]
NAMES = ("x0", "x1", "x2", "x3")


class Frame:
    """A table whose columns have names, as pandas and polars have it: numpy reads it, and `columns` names them."""

    def __init__(self, values: np.ndarray, columns: tuple[Any, ...]) -> None:
        self._values, self.columns = values, columns

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self._values, dtype)


def arrays(n: int = 200) -> tuple[Arrays, Arrays]:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((2 * n, 4))
    truth = (x @ [1.0, 2.0, -1.0, 0.5] > 0).astype(int)
    weak = np.where(rng.random(2 * n) < 0.3, 1 - truth, truth) * 0.6 + 0.2
    return {"features": x[:n], "weak": weak[:n]}, {"features": x[n:], "labels": truth[n:], "teacher": weak[n:]}


def write_csv(path: Path, found: Arrays, names: tuple[str, ...] = NAMES, places: tuple[int, ...] = (0, 1, 2, 3)) -> None:
    columns = {name: found["features"][:, place] for name, place in zip(names, places)}
    columns |= {{"labels": "label"}.get(kind, kind): values for kind, values in found.items() if kind != "features"}
    rows = [",".join(columns)] + [",".join(repr(float(v)) for v in row) for row in zip(*columns.values())]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n")


def write(folder: Path, train: Arrays, test: Arrays) -> Path:
    folder.mkdir(parents=True)
    np.savez(folder / "train.npz", **train)  # type: ignore[arg-type]  # numpy takes arrays by name
    np.savez(folder / "test.npz", **test)  # type: ignore[arg-type]
    return folder.parent


def drawn(place: Path, **options: Any) -> Arrays:
    draw = DataSource(from_folder(place, {"ceiling": 0.95, **options}).options).draw("a", Secret(b"a" * 32))
    return dict(draw.public)


# columns and their names


def test_columns_of_both_files_are_matched_by_name_and_not_by_place(tmp_path: Path) -> None:
    train, test = arrays()
    for domain, order in (("a", (0, 1, 2, 3)), ("b", (3, 1, 0, 2))):
        write_csv(tmp_path / domain / "train.csv", train)
        write_csv(tmp_path / domain / "test.csv", test, tuple(NAMES[place] for place in order), order)
    assert load(tmp_path / "a").test.tobytes() == load(tmp_path / "b").test.tobytes()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("f0", "f1", "f2", "f3"), r"train.csv has a column x0 and .*test.csv has none of that name"),
        (("x0", "x1", "x2", "X3"), r"train.csv has a column x3 and .*test.csv has none"),
        (("x0", "x1", "x2"), r"train.csv has a column x3 and .*test.csv has none"),
    ],
)
def test_files_that_name_other_columns_are_refused(tmp_path: Path, names: tuple[str, ...], said: str) -> None:
    train, test = arrays()
    write_csv(tmp_path / "a" / "train.csv", train)
    write_csv(tmp_path / "a" / "test.csv", test, names)
    with pytest.raises(UsageError, match=said):
        load(tmp_path / "a")


def test_a_column_that_only_the_test_file_has_is_named(tmp_path: Path) -> None:
    train, test = arrays()
    write_csv(tmp_path / "a" / "train.csv", train, NAMES[:3])
    write_csv(tmp_path / "a" / "test.csv", test)
    with pytest.raises(UsageError, match=r"test.csv has a column x3 and .*train.csv has none"):
        load(tmp_path / "a")


def test_a_csv_beside_an_npz_is_matched_by_place(tmp_path: Path) -> None:
    train, test = arrays()
    write_csv(tmp_path / "a" / "train.csv", train, NAMES[::-1])
    np.savez(tmp_path / "a" / "test.npz", **test)  # type: ignore[arg-type]
    assert load(tmp_path / "a").test.tobytes() == pool_of(train, test).test.tobytes()


def test_data_frames_are_matched_by_name_too(home: Path) -> None:
    train, test = arrays()
    turned = {**test, "features": Frame(test["features"][:, ::-1], NAMES[::-1])}
    named = {**train, "features": Frame(train["features"], NAMES)}
    assert made(named, turned).name == made(train, test).name
    with pytest.raises(UsageError, match="train of own has a column x0 and test of own has none"):
        made(named, {**test, "features": Frame(test["features"], ("a", "b", "c", "d"))})
    numbered = {**test, "features": Frame(test["features"], (0, 1, 2, 3))}
    assert made(named, numbered).name == made(train, test).name, "numbers only count the columns"


# numbers of any size


@pytest.mark.parametrize(
    ("scale", "offset"),
    [(1, 1e8), (30, 1.7e9), (1e300, 0), (1e300, 1e303), (1e20, 0), (1e30, -1e30), (1e-9, 0), (1e-200, 1e-198), (1, -1e10)],
)
def test_a_feature_in_any_unit_gives_the_same_instance(tmp_path: Path, scale: float, offset: float) -> None:
    usual, (train, test) = arrays(), arrays()
    for found in (train, test):
        found["features"][:, 1] = found["features"][:, 1] * scale + offset
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        places = [write(tmp_path / stem / "a", *found) for stem, found in (("usual", usual), ("other", (train, test)))]
        assert all(passed for _, _, passed in check(load(places[1] / "a"), normalise=False))
        one, other = (drawn(place) for place in places)
    for name in ("train_x", "test_x"):
        np.testing.assert_allclose(one[name], other[name], atol=1e-3)


def test_a_number_far_out_in_the_test_file_alone_is_cut_and_not_infinite(tmp_path: Path) -> None:
    train, test = arrays()
    test["features"][7, 1], test["features"][8, 2] = 1e300, -1e300
    place = write(tmp_path / "data" / "a", train, test)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(passed for _, _, passed in check(load(place / "a"), normalise=False))
        assert np.isfinite(drawn(place)["test_x"]).all()


def test_a_column_of_one_value_says_nothing_and_rows_all_alike_are_refused() -> None:
    train, test = arrays()
    for found in (train, test):
        found["features"][:, 2] = 12345.678
    assert not pool_of(train, test).train[:, 2].any()
    with pytest.raises(UsageError, match="no feature of train varies"):
        pool_of({**train, "features": np.full((200, 4), 0.1)}, test)


# files


def test_an_npz_with_any_byte_damaged_is_read_or_is_a_sentence(tmp_path: Path) -> None:
    train, _ = arrays(20)
    refused = 0
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "train.npz", **train)
        sound = (tmp_path / "train.npz").read_bytes()
        for place in range(0, len(sound), 13):
            damaged = bytearray(sound)
            damaged[place] ^= 0xFF
            (tmp_path / "train.npz").write_bytes(damaged)
            try:
                read(tmp_path / "train.npz")
            except UsageError:
                refused += 1
    assert refused > 100


def test_a_cut_npz_is_a_sentence(tmp_path: Path) -> None:
    np.savez(tmp_path / "train.npz", **arrays()[0])  # type: ignore[arg-type]
    sound = (tmp_path / "train.npz").read_bytes()
    for length in (0, 10, 500, len(sound) - 30):
        (tmp_path / "train.npz").write_bytes(sound[:length])
        with pytest.raises(UsageError, match=r"train.npz"):
            read(tmp_path / "train.npz")


@pytest.mark.parametrize("name", ["my chat", "v1.0", "-a", "chat+", "ä b"])
def test_a_folder_that_cannot_name_a_domain_is_a_sentence(tmp_path: Path, name: str) -> None:
    place = write(tmp_path / name, *arrays())
    with pytest.raises(UsageError, match="cannot name a domain: use letters, digits, _ and -"):
        from_folder(place)


@pytest.mark.parametrize("end", ["\n\n", "\n   \n", "\n \t \n\n  ", "\n\t"])
@pytest.mark.parametrize("separator", [",", "\t"])
def test_lines_of_nothing_but_blanks_are_skipped(tmp_path: Path, end: str, separator: str) -> None:
    path = tmp_path / "test.csv"
    path.write_text("a,b,label\n1,2,0\n\n  \n3,4,1".replace(",", separator) + end)
    assert read(path).arrays["features"].tolist() == [[1, 2], [3, 4]]


def test_a_line_of_separators_alone_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("a,b,label\n1,2,0\n,,\n")
    with pytest.raises(UsageError, match=r"line 3, column a of .* is a gap"):
        read(tmp_path / "test.csv")


def test_an_npz_of_label_and_labels_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "test.npz", label=np.zeros(3), labels=np.ones(3))
    with pytest.raises(UsageError, match="both an array label and an array labels"):
        read(tmp_path / "test.npz")


# what belongs together


@pytest.mark.parametrize("empty", [np.zeros((0, 2)), np.zeros((0, 2), int), np.zeros(0)])
def test_no_pairs_are_as_none(empty: np.ndarray) -> None:
    train, test = arrays()
    assert pool_of({**train, "pairs": empty}, test).pairs is None


def test_a_pair_of_one_row_is_refused() -> None:
    train, test = arrays()
    with pytest.raises(UsageError, match=r"pair 1 of train \(counted from 0\) is twice the row 5"):
        pool_of({**train, "pairs": [[1, 2], [5, 5]]}, test)


def test_probabilities_of_no_class_are_refused() -> None:
    train, test = arrays()
    with pytest.raises(UsageError, match="the weak labels of train have shape"):
        pool_of({**train, "weak": np.zeros((200, 0))}, test)


def test_classes_numbered_from_1_are_told_so() -> None:
    train, test = arrays()
    with pytest.raises(
        UsageError, match=r"the weak labels of train have 2 classes, and elsewhere .* 3: number the classes from 0"
    ):
        pool_of(train, {**test, "labels": test["labels"] + 1})
    hard = {**train, "weak": np.arange(200) % 2 + 1}
    with pytest.raises(UsageError, match=r"the teacher of test have 2 classes, and elsewhere .* 3: number the classes from 0"):
        pool_of(hard, {**test, "labels": test["labels"] + 1})


# floor and ceiling


def test_a_ceiling_below_a_floor_that_is_learnt_is_refused_at_the_first_draw(tmp_path: Path) -> None:
    train, test = arrays()
    del test["teacher"]
    place = write(tmp_path / "data" / "a", train, test)
    with pytest.raises(UsageError, match=r"a: the ceiling that you gave, 0\.300, is not above 0\.\d+ of the default student"):
        drawn(place, ceiling=0.3)
    assert len(drawn(place, ceiling=0.99)["test_x"]) == 160


def test_floor_and_ceiling_are_called_what_they_are(tmp_path: Path) -> None:
    train, test = arrays()
    place = write(tmp_path / "data" / "a", train, test)
    assert from_folder(place).contract.words.floor == "the weak teacher"
    del test["teacher"]
    write(place / "b", train, test)
    (place / "a" / "test.npz").unlink()
    np.savez(place / "a" / "test.npz", **test)  # type: ignore[arg-type]
    own = from_folder(place, {"ceiling": 0.9})
    words = own.contract.words
    assert (words.floor, words.ceiling) == ("the default student on the weak labels", "an accuracy of 0.9")
    for text in (words.scored, own.brief):
        assert "0 is the weak teacher" not in text
        assert "the default student on the weak labels" in " ".join(text.split())


# arrays that are handed over in Python


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVOLVE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def made(train: Any, test: Any, **options: Any) -> Any:
    return evolve.Task.from_arrays(train, test, **options)


class Unreadable:
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise RuntimeError("it lies elsewhere")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a, b: made(None, b), "train of own is of type NoneType: hand over arrays by name"),
        (lambda a, b: made(a, [b["features"], b["labels"]]), "test of own is of type list: hand over arrays by name"),
        (lambda a, b: made({**a, "foo": 1}, b), "train of own holds an array 'foo': it takes features, weak"),
        (lambda a, b: made({**a, 3: 1}, b), "train of own holds an array 3"),
        (
            lambda a, b: made(a, {**b, "labels": ["cat"] * 200}),
            "the array labels of test of own is of type <U3: it takes numbers",
        ),
        (lambda a, b: made(a, {**b, "labels": [None] * 200}), "the array labels of test of own is of type object"),
        (lambda a, b: made({**a, "features": [[1], [1, 2]]}, b), "the array features of train of own is no array of numbers"),
        (lambda a, b: made({**a, "weak": Unreadable()}, b), "the array weak of train of own is no array of numbers"),
        (lambda a, b: made({**a, "weak": None}, b), "train of own has no weak"),
        (lambda a, b: made(a, b, held_out={"b": a}), "the domain b is of type dict: hand over"),
        (lambda a, b: made(a, b, held_out={"b": (a,)}), "the domain b is of type tuple: hand over"),
        (lambda a, b: made(a, b, held_out=[(a, b)]), "held_out is of type list: hand over"),
        (lambda a, b: made(a, b, held_out={"own": (a, b)}), "held_out holds the domain 'own', which is searched on"),
        (lambda a, b: made(a, b, held_out={"b": (a, {**b, "teacher": "x"})}), "the array teacher of test of b is of type <U1"),
        (lambda a, b: made(a, b, domain=5), "5 cannot name a domain"),
        (lambda a, b: made(a, b, held_out={"../b": (a, b)}), "'../b' cannot name a domain"),
        (lambda a, b: made(a, b, ceiling=2.0), "ceiling is 2.0: it is an accuracy"),
        (lambda a, b: made(a, b, ceiling=0), "ceiling is 0: it is an accuracy"),
        (lambda a, b: made(a, b, ceiling=float("nan")), "ceiling is nan: it is an accuracy"),
        (lambda a, b: made(a, b, ceiling="a"), "ceiling is 'a': it is an accuracy"),
        (lambda a, b: made(a, b, ceiling=True), "ceiling is True: it is an accuracy"),
        (lambda a, b: made(a, b, classes="foo"), "classes is 'foo': say one of natural, balanced"),
        (lambda a, b: made(a, b, classes=["natural"]), r"classes is \['natural'\]: say one of"),
        (lambda a, b: made(a, b, normalise="no"), "normalise is 'no': say True or False"),
    ],
)
def test_arrays_that_cannot_be_used_are_a_sentence_before_anything_is_written(
    home: Path, change: Callable[[Arrays, Arrays], Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        change(*arrays())
    assert not home.exists()
    assert str(home) not in str(refused.value)


def test_the_arrays_of_a_user_may_be_lists_and_leave_out_what_is_none(home: Path) -> None:
    train, test = arrays()
    plain = made({name: array.tolist() for name, array in train.items()}, {**test, "teacher": test["teacher"].tolist()})
    assert plain.name == made({**train, "pairs": None}, test).name
    assert made(train, test, ceiling=np.float32(0.9)).options["ceiling"] == pytest.approx(0.9)
    assert made({**train, "pairs": np.zeros((0, 2), int)}, test).options["files"]
