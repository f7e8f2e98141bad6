"""Where a source could keep fitted constants, and how much, is found however it is written; settings are no such place."""

from __future__ import annotations

import re
from pathlib import Path

import libcst as cst
import pytest

from evolve.screening.capacity import bounds
from evolve.screening.examine import with_others
from evolve.screening.remembered import Places
from evolve.screening.rules import broken_rule
from evolve.screening.scrambling import COPIES, scrambled
from evolve.screening.worker import WorkerProcess

HIDDEN = {
    "list": "C = [-0.43, -1.10, 0.73, 3.08]",
    "tuple of tuples": "C = (-.43, (-1.1, (.73, (3.08,))))",
    "set": "C = {.43, 1.1, .73, 3.08}",
    "dict": "C = {'a': .43, 'b': 1.1, 'c': .73, 'd': 3.08}",
    "call of names": "C = dict(a=.43, b=1.1, c=.73, d=3.08, e=.21, f=4.1)",
    "names in a list": "A = -.43\nB = -1.1\nC = .73\nD = 3.08\ndef method(p):\n    return torch.stack([A, B, C, D])",
    "names in a sum": "a = -.43\nb = -1.1\nc = .73\nd = 3.08\nw = a * z[:, 0] + b * z[:, 1] + c * z[:, 2] + d * z[:, 3]",
    "sum": "w = -.43 * z[:, 0] - 1.1 * z[:, 1] + .73 * z[:, 2] + 3.08 * z[:, 3]",
    "polynomial": "w = .43 + i * (1.1 + i * (.73 + i * 3.08))",
    "choices": "w = .43 if i == 0 else 1.1 if i == 1 else .73 if i == 2 else 3.08",
    "comparisons": "w = (i == 0) * .43 + (i == 1) * 1.1 + (i == 2) * .73 + (i == 3) * 3.08",
    "branches": "if i == 0:\n    w = .43\nelif i == 1:\n    w = 1.1\nelif i == 2:\n    w = .73\nelif i == 3:\n    w = 3.08",
    "returns": "def f(i):\n  if i == 0: return .43\n  if i == 1: return 1.1\n  if i == 2: return .73\n  if i == 3: return 3.08",
    "cases": "match i:\n  case 0: w = .43\n  case 1: w = 1.1\n  case 2: w = .73\n  case 3: w = 3.08",
    "items": "w[0] = .43\nw[1] = -1.1\nw[2] = .73\nw[3] = 3.08",
    "appended": "w.append(.43)\nw.append(1.1)\nw.append(.73)\nw.append(3.08)",
    "added": "s += .43 * p[0]\ns += 1.1 * p[1]\ns += .73 * p[2]\ns += 3.08 * p[3]",
    "class": "class C:\n    a = .43\n    b = 1.1\n    c = .73\n    d = 3.08",
    "defaults": "def f(a=.43, b=1.1, c=.73, d=3.08, e=.21, f=4.1): return a",
    "tensors": "w = torch.cat([torch.full((1,), .43), torch.full((1,), 1.1), torch.full((1,), .73), torch.full((1,), 3.08)])",
    "chain of calls": "w = z.mul(.43).add(1.1).mul(.73).add(3.08)",
    "walrus": "y = (a := .43) * p[0] + (b := 1.1) * p[1] + (c := .73) * p[2] + (d := 3.08) * p[3]",
    "order": "x = z[:, [5, 3, 6, 1]]",
    "signs": "C = [1, -1, 1, 1, -1, -1, 1, -1]",
    "truths": "C = [True, False, True, True, False, False, True, False]",
    "ranges": "C = [range(3), range(7), range(1), range(12)]",
    "fractions": "C = [43 / 100, 110 / 100, 73 / 100, 308 / 100]",
    "shifts": "C = [1 << 3, 1 << 7, 1 << 2, 1 << 9]",
    "complex": "C = [.43 + 1.1j, .73 + 3.08j, .21 + 4.1j, 1.56 + .23j]",
    "digits of a fraction": "C = 0.4311007330802141",
    "digits of an integer": "C = 4311007330802141015602",
    "hexadecimal": "C = 0x43110733080214101",
    "noise that is no noise": "w = torch.linspace(.1, 3., 8).mul(43758.5453).sin()",
    "seed": "g = torch.Generator().manual_seed(17)",
    "named seed": "g = np.random.default_rng(SEED)\nSEED = 91823",
    "sum of seeds": "torch.manual_seed(1234 + 7)",
    "seed of a function": "def f(n):\n    return torch.manual_seed(n)\nf(1234)",
    "random_state": "m = KMeans(8, random_state=31)",
    "letters": "w = [ord(c) - 77 for c in 'kqzbfajd']",
    "digits": "w = [int(c) for c in '43110073308']",
    "numbers in text": "w = '.43 1.1 .73 3.08'.split()",
    "bytes": "w = list(b'\\x43\\x11\\x07\\x73\\x30\\x80')",
    "f-string": "w = f'{1}43110073308'",
    "short texts": "w = ['kq', 'zb', 'fa', 'jd', 'aa', 'bb', 'cc', 'dd', 'ee', 'ff', 'gg', 'hh', 'ij', 'kl', 'mn', 'op']",
    "lengths of blanks": "w = [len('    '), len('  '), len('         '), len(' ')]",
    "own docstring": "def method(p):\n    'kqzbfajd 123'\n    return method.__doc__",
    "own names": "def a043(p): return 1\ndef method(p):\n    return a043.__name__",
    "listed names": "a043 = 1\nb110 = 1\nw = [float(name[1:]) for name in dir()]",
    "own annotations": "def f(x: 'kqzbfajd123'): return f.__annotations__",
}
SETTINGS = {
    "call": "h = p.student.fit(p.x, p.w, epochs=5, lr=1e-3, batch=128, weight_decay=1e-4, hidden=64)",
    "named": "EPOCHS = 5\nRATE = 3e-3\nBATCH = 128\nDECAY = 1e-4\nROUNDS = 7\nTEMPERATURE = .3",
    "seeded by the trial": "torch.manual_seed(p.seed + 7)\nnp.random.default_rng(p.seed)",
    "formula": "y = torch.where(x > .5, .9, .1).clamp(1e-6, 1 - 1e-6) * 2 - 1",
    "shape": "y = x.view(-1, 2, 128).mean((1, 2))",
    "docstring": 'def method(p):\n    """Takes the 16 leading components, 0.5 and 12345678."""\n    return p.x',
    "comment": "x = 1  # 0.4311007330802141",
    "a word": "y = torch.nn.functional.pad(x, (1, 1), mode='reflect')",
}


@pytest.mark.parametrize("source", HIDDEN.values(), ids=HIDDEN)
def test_a_place_for_fitted_constants_is_found_and_others_are_put_there(source: str) -> None:
    kinds = scrambled(source, 1)
    assert kinds, source
    for copies in kinds.values():
        assert len(copies) == COPIES
        for copy in copies:
            compile(copy, "copy", "exec")
    assert any(copy != source for copies in kinds.values() for copy in copies)


@pytest.mark.parametrize("source", SETTINGS.values(), ids=SETTINGS)
def test_settings_are_no_place_for_constants(source: str) -> None:
    assert scrambled(source, 1) == {}


def test_nothing_but_the_constants_changes() -> None:
    source = "# kept\nRATE = 0.25\nC = [0.43, 1.1, 0.73, 3.08]  # kept too\n"
    for copy in scrambled(source, 3)["numbers"]:
        before, after = (re.sub(r"\[.*\]", "", text) for text in (source, copy))
        assert before == after
        assert sorted(re.findall(r"[\d.]+", copy)) == sorted(re.findall(r"[\d.]+", source))


def test_names_that_others_know_are_kept() -> None:
    source = "def abcdefgh(values):\n    mean = values.mean(0)\n    return mean, abcdefgh.__name__\n"
    for copy in scrambled(source, 1)["names"]:
        assert ".mean(0)" in copy
        assert "abcdefgh" not in copy


def test_signs_turn_only_where_there_are_both() -> None:
    assert not any("-" in copy for copy in scrambled("C = [0.43, 1.1, 0.73, 3.08]", 1)["numbers"])
    assert any("(-" in copy for copy in scrambled("C = [0.43, -1.1, 0.73, 3.08]", 1)["numbers"])


def test_a_seed_scrambles_alike_and_another_differently() -> None:
    source = HIDDEN["list"]
    assert scrambled(source, 1) == scrambled(source, 1) != scrambled(source, 2)


def test_the_worker_scrambles_and_what_it_cannot_read_is_nobodys_fault() -> None:
    with WorkerProcess() as worker:
        assert with_others(worker, HIDDEN["list"], 1) == scrambled(HIDDEN["list"], 1)
        assert with_others(worker, "def method(:", 1) is None


def test_the_human_baselines_have_no_place_for_constants(root: Path) -> None:
    assert {path.stem for path in (root / "seeds").glob("*.py") if scrambled(path.read_text(), 1)} == set()


CARRIED = {
    "numbers": f"C = {[17 * n % 1000 for n in range(300)]}",
    "long integer": f"C = {7**800}",
    "one bit each, by name": f"n = -1\np = 1\nC = [{', '.join('np'[i * i % 7 % 2] for i in range(600))}]",
    "one bit each, by sign": f"C = [{', '.join('x' if i * i % 7 % 2 else '-x' for i in range(600))}]",
    "truths": f"C = {[i * i % 7 > 3 for i in range(600)]}",
    "text": f"C = '{'kqzb' * 160}'",
    "far characters in text": f"C = '{''.join(chr(0x4E00 + 37 * n % 9999) for n in range(200))}'",
    "marks in text": f"C = '{'+-' * 300}'",
    "blanks in text": f"C = '{' x' * 300}'",
    "many statements": "\n".join(f"w.append({n * n})" for n in range(10, 200)),
    "docstring that is read": f"def method(p):\n    '{'kqzb' * 160}'\n    return method.__doc__",
    "names that are read": "\n".join(f"def a{n * n:05d}(p): return p" for n in range(120)) + "\nw = dir()",
}
COMPUTED = {
    "docstring": f"def method(p):\n    '{'kqzb ' * 80}'\n    return p",
    "comments": f"# {'kqzb ' * 80}\nx = 1",
    "settings": "\n".join(f"setting_{chr(97 + n)} = {n + 0.25}" for n in range(26)),
    "a grid of settings": f"for lr, decay in {[(r, d) for r in (1e-3, 3e-3, 1e-2) for d in (0.0, 1e-4, 1e-2)]}: fit(lr, decay)",
}


@pytest.mark.parametrize("source", CARRIED.values(), ids=CARRIED)
def test_a_method_that_carries_much_is_refused_however_it_is_written(source: str) -> None:
    refusal = broken_rule(cst.parse_module(source), source)
    assert refusal is not None
    assert "writes down more than" in refusal


@pytest.mark.parametrize("source", COMPUTED.values(), ids=COMPUTED)
def test_what_is_no_place_for_constants_may_be_long(source: str) -> None:
    assert broken_rule(cst.parse_module(source), source) in (None, broken_rule(cst.parse_module("x = 1"), "x = 1"))


@pytest.mark.parametrize("source", [*HIDDEN.values(), *CARRIED.values()], ids=[*HIDDEN, *CARRIED])
def test_the_quick_look_tells_bounds_of_what_a_source_holds(source: str) -> None:
    at_least, at_most = bounds(source)
    assert 0 < Places(cst.parse_module(source)).size <= at_most
    assert at_least <= Places(cst.parse_module(source)).size
