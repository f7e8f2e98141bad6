from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evolve.search.deleted_lines import DELETED, LINES, DeletedLines, significant, statements

lines = st.lists(st.sampled_from([f"x = {i}" for i in range(12)]), max_size=8, unique=True)


def text(*parts: str) -> str:
    return "\n".join(parts) + "\n"


def test_a_line_that_comes_back_is_told() -> None:
    lineages = DeletedLines(significant)
    lineages.add("a", text("x = 1", "y = 2", "return x"), None)
    lineages.add("b", text("x = 1", "return x"), "a")
    lineages.add("c", text("x = 3", "return x"), "b")
    assert lineages.deleted("a") == ()
    assert lineages.deleted("c") == ("x = 1", "y = 2"), "the newest deletion first"
    assert lineages.readded("c", text("    y = 2  ", "x = 3", "return x")) == ("y = 2",), "indentation is no difference"
    lineages.add("d", text("x = 3", "y = 2", "return x"), "c")
    assert lineages.deleted("d") == ("x = 1",), "what came back is deleted no more"


def test_other_lineages_do_not_count() -> None:
    lineages = DeletedLines(significant)
    lineages.add("a", text("x = 1", "return x"), None)
    lineages.add("b", text("return 2"), "a")
    lineages.add("c", text("x = 4", "return x"), "a")
    assert lineages.readded("c", text("return 2")) == ()
    assert lineages.readded("unknown", text("x = 1")) == lineages.deleted("unknown") == ()


def test_lines_that_say_nothing_are_left_out() -> None:
    source = text("", "  # a comment", "f(", "    a,", ")", "else:", "    pass", "]}", '"""', "a,")
    assert list(significant(source)) == ["f(", "a,"]


@given(st.lists(st.tuples(lines, st.integers(0, 30)), min_size=1, max_size=15))
def test_deleted_is_what_ancestors_had_and_the_method_has_not(history: list[tuple[list[str], int]]) -> None:
    lineages, sources, parents = DeletedLines(significant), dict[str, list[str]](), dict[str, str | None]()
    for number, (source, back) in enumerate(history):
        parent = f"m{max(0, number - 1 - back)}" if number else None
        sources[f"m{number}"], parents[f"m{number}"] = source, parent
        lineages.add(f"m{number}", text(*source), parent)
    for method, source in sources.items():
        had, at = set[str](), parents[method]
        while at is not None:
            had |= set(sources[at])
            at = parents[at]
        assert set(lineages.deleted(method)) == had - set(source)
        assert lineages.readded(method, text(*sorted(had))) == tuple(sorted(had - set(source)))


def test_memory_is_bounded() -> None:
    lineages = DeletedLines(significant)
    lineages.add("m0", text(*(f"first = {i}" for i in range(2 * LINES))), None)
    for number in range(1, 20):
        lineages.add(f"m{number}", text(*(f"x{number} = {i}" for i in range(50))), f"m{number - 1}")
    assert len(lineages.deleted("m19")) == DELETED
    assert lineages.deleted("m19")[0] == "x18 = 0"


def test_a_method_that_changes_no_line_shares_what_its_parent_holds() -> None:
    lineages = DeletedLines(significant)
    lineages.add("a", text("x = 1", "y = 2"), None)
    lineages.add("b", text("x = 1"), "a")
    lineages.add("c", text("x = 1", "z = 3"), "b")
    assert lineages._steps["c"].deleted is lineages._steps["b"].deleted


def test_a_drop_that_does_not_count_is_no_deleted_line() -> None:
    """Lines are told only where the child that dropped them was better, told apart."""
    lineages = DeletedLines(statements)
    lineages.add("a", text("x = 1", "y = 2", "z = 3"), None)
    lineages.add("b", text("x = 1", "y = 2"), "a", counts=False)
    lineages.add("c", text("x = 1"), "b", counts=True)
    assert lineages.deleted("c") == ("y = 2",)


def test_docstrings_definitions_imports_and_comments_are_no_statements() -> None:
    source = '''"""A docstring
over = "two lines"
"""
import torch
from math import log

SHARE = 0.5  # a constant


@cached
def method(problem):
    """Return it."""
    # a comment
    rows = problem.weak
    else_ = rows
    try:
        return rows
    except ValueError:
        pass
'''
    found = [*statements(source)]
    assert found == ["SHARE = 0.5  # a constant", "rows = problem.weak", "else_ = rows", "return rows", "except ValueError:"]
