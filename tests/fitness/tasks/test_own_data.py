"""A user's own data: what is read of npz, parquet and csv, what is refused and with which sentence, and what is drawn."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
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
from fitness.tasks.data.task import changed, from_folder
from fitness.tasks.secret import Secret

Arrays = dict[str, np.ndarray]
RNG = np.random.default_rng(0)


def arrays(classes: int = 2, n: int = 300, m: int = 300, d: int = 8) -> tuple[Arrays, Arrays]:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((n + m, d)) + 0
    truth = (x @ rng.standard_normal((d, classes))).argmax(1)
    weak = 0.6 * np.eye(classes)[np.where(rng.random(n + m) < 0.3, rng.integers(classes, size=n + m), truth)] + 0.4 / classes
    return {"features": x[:n], "weak": weak[:n]}, {"features": x[n:], "labels": truth[n:], "teacher": weak[n:]}


def failing(train: Mapping[str, Any], test: Mapping[str, Any], **options: Any) -> dict[str, str]:
    """Return the sentences of the checks that fail, by name."""
    return {name: sentence for name, sentence, passed in check(pool_of(train, test), **options) if not passed}


def csv_text(found: Mapping[str, np.ndarray], separator: str = ",") -> str:
    columns = {f"x{i}": column for i, column in enumerate(found["features"].T)}
    for kind in ("weak", "teacher"):
        if kind in found:
            columns |= {f"{kind}_{i}": column for i, column in enumerate(found[kind].T)}
    if "labels" in found:
        columns["label"] = found["labels"]
    rows = [separator.join(columns)] + [separator.join(f"{v:.9g}" for v in row) for row in zip(*columns.values())]
    return "\n".join(rows) + "\n"


def folder(tmp_path: Path, train: Arrays, test: Arrays) -> Path:
    (tmp_path / "data" / "a").mkdir(parents=True)
    np.savez(tmp_path / "data" / "a" / "train.npz", **train)  # type: ignore[arg-type]  # numpy takes arrays by name
    np.savez(tmp_path / "data" / "a" / "test.npz", **test)  # type: ignore[arg-type]
    return tmp_path / "data"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_csv_is_read_as_the_npz_of_the_same_numbers(tmp_path: Path, separator: str, encoding: str) -> None:
    for stem, found in zip(("train", "test"), arrays(3)):
        (tmp_path / f"{stem}.csv").write_text(csv_text(found, separator), encoding=encoding)
        np.savez(tmp_path / f"{stem}.npz", **found)  # type: ignore[arg-type]
        ours, theirs = (read(tmp_path / f"{stem}.{kind}").arrays for kind in ("csv", "npz"))
        assert ours.keys() == theirs.keys()
        for name in ours:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty: its first line names the columns"),
        ("a,b,label\n", "has a header and no rows"),
        ("1,2,3\n4,5,6\n", "the first line of .* holds numbers: it must name the columns"),
        ("a,,label\n1,2,0\n", "column 2 of .* has no name"),
        ("a,a,label\n1,2,0\n", "two columns of .* are named a"),
        ("a,b,label\n1,2,0\n1,2\n", "line 3 of .* has 2 cells, and the first line names 3 columns"),
        ("a,b,label\n1,2,0\n1,,0\n", "line 3, column b of .* is a gap"),
        ("a,b,label\n1,NA,0\n", "line 2, column b of .* is a gap"),
        ("a,b,label\n1,2,0\n1,2,cat\n", "line 3, column label of .* holds 'cat'"),
        ("a;b;label\n1;2,5;0\n", "line 2, column b of .* holds '2,5': write decimals with a point"),
        ("a,b,label\n1,inf,0\n", "line 2, column b of .* is not finite"),
        ("a,weak_0,weak_2\n1,.5,.5\n", "the columns of weak in .* are not weak_0, weak_1"),
    ],
)
def test_a_bad_csv_is_said_with_its_line_and_column(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "test.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        read(path)


def test_a_csv_that_is_no_utf8_is_said_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    path.write_bytes(b"a,label\n1,0\n\xff,1\n")
    with pytest.raises(UsageError, match=r"line 3 of .* is not UTF-8"):
        read(path)


def test_a_bad_npz_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "train.npz"
    path.write_bytes(b"no zip")
    with pytest.raises(UsageError, match="is no npz file"):
        read(path)
    np.savez(path, features=np.array([{}], dtype=object))
    with pytest.raises(UsageError, match="holds objects"):
        read(path)
    np.savez(path, truth=np.zeros(3))
    with pytest.raises(UsageError, match="holds an array 'truth': it takes features, weak"):
        read(path)


@pytest.mark.skipif(importlib.util.find_spec("pyarrow") is not None, reason="pyarrow is there")
def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "train.parquet").write_bytes(b"PAR1")
    with pytest.raises(UsageError, match="pip install pyarrow, or write npz or csv"):
        read(tmp_path / "train.parquet")


@pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="pyarrow is not there")
def test_parquet_is_read_as_csv(tmp_path: Path) -> None:
    from pyarrow import Table, parquet

    parquet.write_table(Table.from_pydict({"x0": [1.0, 2.0], "x1": [3, 4], "label": [0, 1]}), tmp_path / "test.parquet")
    found = read(tmp_path / "test.parquet").arrays
    assert found["features"].tolist() == [[1, 3], [2, 4]]
    assert found["labels"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("side", "change", "said"),
    [
        (0, {"weak": None}, "train has no weak"),
        (1, {"labels": None}, "test has no labels"),
        (0, {"features": np.zeros((300, 7))}, "train has 7 features and test 8"),
        (1, {"features": np.full((300, 8), np.nan)}, "the features of test are not all finite: row 0, column 0"),
        (0, {"features": [[1, 2], [3]]}, "the features of train are no table of numbers"),
        (0, {"weak": np.full((300, 2), 0.7)}, "are no probabilities"),
        (0, {"weak": np.zeros(299)}, "the weak labels of train have shape"),
        (1, {"labels": np.full(300, 0.5)}, "not whole numbers"),
        (1, {"labels": np.arange(300)}, "a task has 2 to 10 classes"),
        (0, {"pairs": np.array([[0, 300]])}, "whole numbers below 300"),
    ],
)
def test_arrays_that_cannot_be_used_are_refused_by_name(side: int, change: dict[str, Any], said: str) -> None:
    both: list[dict[str, Any]] = [dict(found) for found in arrays()]
    both[side] |= change
    with pytest.raises(UsageError, match=said):
        pool_of(*both)


def test_clean_data_passes_every_check() -> None:
    for classes in (2, 10):
        assert failing(*arrays(classes, 600, 600)) == {}


def test_labels_among_the_features_are_refused() -> None:
    for classes in (2, 5):
        train, test = arrays(classes)
        test["features"][:, 3] = test["labels"]
        assert "feature 3 alone tells the test labels" in failing(train, test)["labels in the features"]
    train, test = arrays(5)
    test["features"][:, 2] = test["labels"] == 4
    assert "feature 2 alone" in failing(train, test)["labels in the features"], "one class of five is told"
    test["features"][:, 2] = test["labels"] + RNG.standard_normal(300)
    assert failing(train, test) == {}, "a good feature"
    test["features"][:, 2] = 1000 * test["labels"] + np.arange(300)
    assert "feature 2 alone" in failing(train, test)["labels in the features"]


def test_rows_in_both_files_are_refused() -> None:
    train, test = arrays()
    test["features"][:30] = train["features"][:30]
    assert "30 of 300 test rows stand in the training file too" in failing(train, test)["duplicates"]


def test_one_class_few_rows_and_a_low_ceiling_are_refused() -> None:
    train, test = arrays()
    assert "one class" in failing(train, {**test, "labels": np.zeros(300)})["classes"]
    assert "all weak labels are of one class" in failing({**train, "weak": np.zeros(300)}, test)["classes"]
    few = {name: array[:50] for name, array in test.items()}
    assert "too few rows in test, at least 100 are needed" in failing(train, few)["rows"]
    assert "1,691 test rows" in failing(train, few)["rows"], "it says how many an interval of .1 takes"
    assert "0.500, is not above the weak teacher" in failing(train, test, ceiling=0.5)["anchors"]


def test_a_norm_that_tells_the_class_is_refused_where_rows_are_not_normalised() -> None:
    train, test = arrays()
    scale = 1 + 5 * test["labels"][:, None]
    loud = {**test, "features": test["features"] * scale}
    assert "norm" not in failing(train, loud)
    assert "leave normalise on" in failing(train, loud, normalise=False)["norm"]
    assert failing(train, test, normalise=False) == {}


def test_files_that_are_missing_or_there_twice_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        from_folder(tmp_path / "none")
    with pytest.raises(UsageError, match=r"has no folders: put train.csv"):
        from_folder(tmp_path)
    place = folder(tmp_path, *arrays())
    (place / "a" / "test.csv").write_text("x")
    with pytest.raises(UsageError, match=r"both test.npz and test.csv: leave one"):
        from_folder(place)
    (place / "a" / "test.csv").unlink()
    (place / "a" / "test.npz").unlink()
    with pytest.raises(UsageError, match=r"no test.npz, .parquet or .csv"):
        from_folder(place)


def test_the_name_follows_the_files_and_the_version_the_options(tmp_path: Path) -> None:
    place = folder(tmp_path, *arrays())
    first = from_folder(place)
    assert first.name == from_folder(place, {"classes": "balanced"}).name
    assert first.version != from_folder(place, {"classes": "balanced"}).version
    train, _ = arrays()
    np.savez(place / "a" / "train.npz", **{**train, "features": train["features"] + 1})
    second = from_folder(place)
    assert first.name != second.name
    assert changed(first.options["files"], second.options["files"]) == "a/train.npz has changed"


def test_a_file_that_is_edited_in_mid_run_is_not_drawn_from(tmp_path: Path) -> None:
    place = folder(tmp_path, *arrays())
    source = DataSource(from_folder(place).options)
    np.savez(place / "a" / "train.npz", **arrays(2, 301)[0])  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"a/train.npz in .* has changed since"):
        source.draw("a", Secret(b"k" * 32))


@pytest.mark.parametrize("classes", [2, 7])
def test_an_instance_is_some_of_the_rows_in_a_secret_frame(tmp_path: Path, classes: int) -> None:
    train, test = arrays(classes, 600, 800)
    source = DataSource(from_folder(folder(tmp_path, train, test)).options)
    one, again, other = (source.draw("a", Secret(key * 32)) for key in (b"a", b"a", b"b"))
    for name in one.public:
        assert one.public[name].tobytes() == again.public[name].tobytes()
    x = one.public["train_x"]
    assert x.shape == (480, 8)
    assert one.public["weak"].shape == (480, classes)
    assert len(one.public["test_x"]) == 320, "four fifths of the half that is not held back for the ceiling"
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), 2, rtol=1e-5)
    assert not np.isclose(x[:, :, None].mean(0), other.public["train_x"][:, :, None].mean(0)).all()
    assert one.floor == pytest.approx(np.mean(one.private["teacher"].argmax(1) == one.private["test_y"]))
    assert one.floor < one.ceiling <= 1


def test_a_given_ceiling_balance_and_plain_rows_are_kept_to(tmp_path: Path) -> None:
    train, test = arrays(2, 600, 800)
    test["labels"] = (np.arange(800) < 600).astype(int)
    place = folder(tmp_path, train, test)
    options = {"ceiling": 0.9, "classes": "balanced", "normalise": False}
    drawn = DataSource(from_folder(place, options).options).draw("a", Secret(b"a" * 32))
    assert drawn.ceiling == 0.9
    assert np.bincount(drawn.private["test_y"]).tolist() == [200, 200]
    assert np.linalg.norm(drawn.public["train_x"], axis=1).std() > 0.1
    natural = DataSource(from_folder(place).options).draw("a", Secret(b"a" * 32))
    assert np.mean(natural.private["test_y"]) > 0.7


def test_pairs_follow_the_rows_that_are_drawn(tmp_path: Path) -> None:
    train, test = arrays()
    truth = RNG.permutation(np.arange(300) % 2)
    train["features"][:, 0] = 10 * truth - 5
    train["pairs"] = np.stack([np.flatnonzero(truth == 0), np.flatnonzero(truth == 1)], 1)
    place = folder(tmp_path, train, test)
    assert load(place / "a").pairs is not None
    drawn = DataSource(from_folder(place).options).draw("a", Secret(b"a" * 32))
    pairs, x = drawn.public["pairs"], drawn.public["train_x"]
    assert 0 < len(pairs) < 150
    assert pairs.max() < len(x)


def test_without_a_teacher_the_floor_imitates_the_weak_labels(tmp_path: Path) -> None:
    train, test = arrays(2, 600, 800)
    del test["teacher"]
    drawn = DataSource(from_folder(folder(tmp_path, train, test)).options).draw("a", Secret(b"a" * 32))
    assert drawn.private["teacher"].shape == (len(drawn.public["test_x"]), 2)
    assert 0.5 < drawn.floor < 1


def test_arrays_make_the_same_task_as_their_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOLVE_HOME", str(tmp_path / "home"))
    train, test = arrays()
    own = evolve.Task.from_arrays(train, test, domain="a", held_out={"b": arrays(3)})
    assert (own.search_domains, own.held_out_domains) == (("a",), ("b",))
    theirs = from_folder(folder(tmp_path, train, test))
    draws = [DataSource(task.options).draw("a", Secret(b"a" * 32)) for task in (own, theirs)]
    assert draws[0].public["test_x"].tobytes() == draws[1].public["test_x"].tobytes()
    assert own.name == evolve.Task.from_arrays(train, test, domain="a", held_out={"b": arrays(3)}).name
    with pytest.raises(UsageError, match="a: duplicates: 300 of 300"):
        evolve.Task.from_arrays(train, {**test, "features": train["features"]}, domain="a")
    with pytest.raises(UsageError, match="cannot name a domain"):
        evolve.Task.from_arrays(train, test, domain="../a")


def test_the_shipped_examples_pass_their_checks(tmp_path: Path) -> None:
    from fitness.tasks.data import example
    from fitness.tasks.data.task import check as checked

    example.main([str(tmp_path)])
    found = checked(tmp_path)
    assert [name for name, _, passed in found if not passed] == []
    assert "10 classes" in {name: sentence for name, sentence, _ in found}["digits: classes"]
