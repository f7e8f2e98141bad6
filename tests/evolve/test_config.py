from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from evolve.config import Config, parse_set, read_file, resolve
from evolve.errors import UsageError


def test_an_unknown_key_gets_the_nearest_one(tmp_path: Path) -> None:
    path = tmp_path / "evolve.toml"
    path.write_text("evels = 3")
    with pytest.raises(UsageError, match="did you mean 'evals'"):
        read_file(path)
    with pytest.raises(UsageError, match="did you mean 'islands'"):
        parse_set(("island=3",))


@pytest.mark.parametrize(
    ("key", "value"), [("evals", 0), ("evals", -1), ("workers", 0), ("islands", "many"), ("usd", -2), ("offline_share", 2)]
)
def test_a_value_out_of_range_is_named(key: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"{key} = {value!r} cannot be used"):
        resolve({key: value})


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("seeds", 3, "seeds = 3 cannot be used: it takes a list of texts"),
        ("model", True, "model = true cannot be used: it takes a list of texts"),
        ("measures", {"a": 1}, 'measures = {"a": 1} cannot be used: it takes a list of texts'),
        ("trackers", [3], "trackers.0 = 3 cannot be used: it takes a text"),
        ("strategy", ["a"], 'strategy = ["a"] cannot be used: it takes a text'),
        ("evals", "many", "evals = 'many' cannot be used: it takes a whole number"),
        ("evals", 1.5, "it takes a whole number"),
        ("novelty", None, ""),
        ("novelty", [], "novelty = [] cannot be used: it takes a number"),
        ("trust_methods", "perhaps", "it takes true or false"),
        ("prices", ["x"], "it takes a table"),
        ("prices", {"openai:x": 3}, "it takes a table, such as {input = 1, output = 2}"),
        ("domain", 3, "cannot be used: a domain is a name such as chat"),
    ],
)
def test_a_value_of_another_kind_is_told_what_is_wanted_without_a_type_of_python(key: str, value: object, said: str) -> None:
    if value is None:  # not given
        assert resolve({key: value}) == Config()
        return
    with pytest.raises(UsageError) as caught:
        resolve({key: value})
    assert said in str(caught.value)
    words = re.findall(
        r"\b(?:tuple|dict|dictionary|str|string|int|integer|bool|boolean|list\[|NoneType|instance|None|True)\b",
        str(caught.value),
    )
    assert not words


def test_a_config_file_with_a_byte_order_mark_is_read_and_one_of_another_encoding_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "evolve.toml"
    path.write_bytes(b"\xef\xbb\xbfevals = 3\r\n")
    assert read_file(path) == {"evals": 3}
    for encoding in ("utf-16", "latin-1"):
        path.write_text("task = 'd\u00e9'", encoding)
        with pytest.raises(UsageError, match=r"evolve\.toml is not UTF-8 text: save it as UTF-8"):
            read_file(path)


def test_later_layers_win_and_none_is_not_given() -> None:
    assert resolve({"evals": 3, "seed": 1}, {"evals": 5}, {"evals": None}) == Config(evals=5, seed=1)


def test_set_reads_toml_values_and_plain_text() -> None:
    assert parse_set(("evals=7", "novelty=0.5", "domain=chat", "model=['openai:a']")) == {
        "evals": 7, "novelty": 0.5, "domain": "chat", "model": ["openai:a"],
    }  # fmt: skip
    with pytest.raises(UsageError, match="key=value"):
        parse_set(("evals",))


def test_broken_or_missing_files_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        read_file(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("evals = = 3")
    with pytest.raises(UsageError, match="not valid TOML"):
        read_file(tmp_path / "bad.toml")


def test_the_shipped_config_lists_every_setting_with_its_default(root: Path) -> None:
    text = (root / "evolve.toml").read_text()
    assert tomllib.loads(text) == {}, "everything is commented out"
    shown = tomllib.loads("\n".join(line[2:] for line in text.splitlines() if line.startswith("# ") and " = " in line))
    optional = {name for name, field in Config.model_fields.items() if field.default is None}
    assert set(shown) == set(Config.model_fields)
    assert resolve({k: v for k, v in shown.items() if k not in optional}) == Config()
