"""Fuzzed sources through the screen and the offline operators: each gets a method or a sentence, and the engine goes on.

100 sources by default, 1,000 with --runslow: seeds mutated as bytes, as tokens and as libcst trees, garbage that follows the
grammar, and structures that nest or go on for ever. All of it is drawn from fixed seeds.
"""

from __future__ import annotations

import io
import itertools
import random
import re
import time
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

import libcst as cst
import pytest

from evolve import operators
from evolve.nouns import Tools
from evolve.operators.offline.base import Offline
from evolve.screening.screen import MAX_BYTES, Screen, Screened
from evolve.screening.worker import WorkerProcess
from fitness.tasks.embedded.grammar import GRAMMAR

SEEDS = [path.read_text() for path in sorted(Path(__file__).parents[3].joinpath("seeds").glob("*.py"))]
OFFLINE = [name for name in operators.TABLE if isinstance(operators.load(name), Offline)]
METHOD = "\n\ndef method(problem):\n    return problem.weak[:, 1]\n"
ODD = (
    *("\x00", "\ud800", "\ufeff", "\u202e", "\x1b[2J", "\r", "\x0c", "\\\n", "\t", "0x" + "f" * 300, "1e999", "9" * 4000),
    *("''' ", "f'{", "(", "]", "}", "lambda: ", "*", "**", ":=", "@", "->", "…", "ℌ", "b'\\xff'", "'\\N{DIGIT ONE}'"),
    *("yield ", "await ", "async ", "global x\n", "nonlocal x\n", "del ", "match x:\n", " case _:\n", "class A(", "def "),
    *("import os\n", "# coding: utf-7\n"),
)


def as_bytes(rng: random.Random) -> bytes:
    """Flip, cut, repeat and insert bytes of a seed."""
    raw = bytearray(rng.choice(SEEDS).encode())
    for _ in range(rng.choice([1, 1, 2, 5, 40])):
        place, size = rng.randrange(len(raw) + 1), rng.choice([1, 1, 3, 30])
        match rng.randrange(4):
            case 0:
                raw[place : place + size] = (
                    rng.randbytes(size) if rng.random() < 0.3 else rng.choice(SEEDS)[place:][:size].encode()
                )
            case 1:
                del raw[place : place + size]
            case 2:
                raw[place:place] = raw[place : place + size] * rng.choice([1, 2, 50])
            case 3:
                raw[place:place] = rng.choice(ODD).encode("utf-8", "surrogatepass")
    return bytes(raw)


def as_tokens(rng: random.Random) -> str:
    """Swap, drop, repeat and replace tokens of a seed by those of any seed."""
    words = tokens(rng.choice(SEEDS))
    pool = [*tokens(rng.choice(SEEDS)), *ODD]
    for _ in range(rng.choice([1, 1, 2, 4])):
        place, other = rng.randrange(len(words)), rng.randrange(len(words))
        match rng.randrange(4):
            case 0:
                words[place], words[other] = words[other], words[place]
            case 1:
                words[place] = ""
            case 2:
                words[place] *= rng.choice([2, 100])
            case 3:
                words[place] = rng.choice(pool)
    return "".join(words)


def tokens(source: str) -> list[str]:
    """Return tokens and what lies between them; together they are the source."""
    lines = source.splitlines(keepends=True)
    parts, row, column = [], 1, 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
            continue
        between = "".join(lines[row - 1 : token.start[0]]) if token.start[0] <= len(lines) else ""
        if token.start[0] == row:
            between = lines[row - 1][column : token.start[1]]
        else:
            between = (
                lines[row - 1][column:] + "".join(lines[row : token.start[0] - 1]) + lines[token.start[0] - 1][: token.start[1]]
            )
        parts += [between, token.string]
        row, column = token.end
    return [part for part in parts if part]


VALUES = (cst.Call, cst.BinaryOperation, cst.BaseNumber, cst.BaseString, cst.Comparison, cst.ListComp, cst.IfExp)


class Shuffle(cst.CSTTransformer):
    """Replaces expressions by others of a pool, wraps some deeply, doubles statements; what it makes is valid text."""

    def __init__(self, rng: random.Random, pool: list[cst.BaseExpression]) -> None:
        super().__init__()
        self._rng, self._pool, self._rate = rng, pool, rng.choice([0.01, 0.03, 0.1])

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:
        left = super().on_leave(original_node, updated_node)
        if isinstance(left, VALUES) and self._rng.random() < self._rate:
            return self._rng.choice([self._wrapped, lambda node: self._rng.choice(self._pool)])(left)
        if isinstance(left, cst.BaseCompoundStatement | cst.SimpleStatementLine) and self._rng.random() < self._rate:
            return cst.FlattenSentinel([left] * self._rng.choice([2, 2, 30]))
        return left

    def _wrapped(self, node: cst.BaseExpression) -> cst.BaseExpression:
        ways: list[Callable[[cst.BaseExpression], cst.BaseExpression]] = [
            lambda inner: cst.UnaryOperation(cst.Minus(), inner),
            lambda inner: cst.List([cst.Element(inner)]),
            lambda inner: cst.Call(cst.Name("f"), [cst.Arg(inner)]),
            lambda inner: cst.Lambda(cst.Parameters(), inner),
        ]
        for _ in range(self._rng.choice([1, 3, 90])):
            node = self._rng.choice(ways)(node).with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        return node


def as_tree(rng: random.Random) -> str:
    """Shuffle a seed's tree; what libcst will not write becomes text that is only nearly Python."""
    pool: list[cst.BaseExpression] = []

    class Collect(cst.CSTVisitor):
        def on_leave(self, original_node: cst.CSTNode) -> None:
            if isinstance(original_node, VALUES):
                pool.append(original_node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()]))

    cst.parse_module(rng.choice(SEEDS)).visit(Collect())
    while True:
        try:
            changed = cst.parse_module(rng.choice(SEEDS)).visit(Shuffle(rng, pool))
            assert isinstance(changed, cst.Module)
            return changed.code
        except (cst.CSTValidationError, AttributeError, TypeError):  # an expression where only a name may stand
            continue


ATOMS = ("x", "1", "0.5", "''", "None", "problem", "torch", "-1", "1j", "...", "1e400", "f'{x!r:>{y}}'")
EXPRESSIONS = (
    *(
        "(A + B)",
        "A if B else A",
        "[A for x in B if A]",
        "f(A, k=B)",
        "(lambda x=A: B)",
        "{A: B}",
        "(A)[B:A]",
        "(A).y",
        "not A",
    ),
    *("(A, *B)", "(y := A)", "(A < B < A)", "A or B", "(yield A)"),
)
STATEMENTS = ("x = A", "x += A", "return A", "assert A", "pass", "del x, y[A]", "x: A = 1", "*x, y = A")
COMPOUND = (  # what heads a block, and what follows it
    *(("if A:", "else:"), ("while A:", "else:"), ("for x in A:", ""), ("with A as x:", ""), ("class A(B, c=d):", "")),
    *(
        ("def head(problem, x=1, *y, **z):", ""),
        ("async def head(x, /, *, y):", ""),
        ("try:", "except* A:"),
        ("try:", "finally:"),
    ),
    ("match A:\n case [1, *_] | {'k': A(x=1)} if x:", ""),
)


def as_grammar(rng: random.Random) -> str:
    """Write statements at random after a small grammar; about half of it compiles."""

    def expression(depth: int) -> str:
        if depth <= 0:
            return rng.choice(ATOMS)
        parts = {"A": expression(depth - 1), "B": expression(depth - rng.choice([1, 2, 3]))}
        return re.sub("[AB]", lambda found: parts[found[0]], rng.choice(EXPRESSIONS))

    def block(depth: int, margin: str) -> Iterator[str]:
        for _ in range(rng.choice([1, 1, 2, 4])):
            value = expression(rng.randrange(4))
            if depth <= 0 or rng.random() < 0.5:
                yield margin + rng.choice(STATEMENTS).replace("A", value)
                continue
            head, tail = rng.choice(COMPOUND)
            yield margin + head.replace("A", value).replace("\n", "\n" + margin)
            yield from block(depth - 1, margin + rng.choice(["  ", "    ", "\t\t"]))
            if tail:
                yield f"{margin}{tail}\n{margin} pass"

    return "import torch\n\n\ndef g(problem):\n" + "\n".join(block(4, "  ")) + METHOD


NESTED = (  # left, inside, right
    *(
        ("(", "1", ")"),
        ("[", "", "]"),
        ("{", "1", "}"),
        ("f(", "", ")"),
        ("-", "1", ""),
        ("not ", "a", ""),
        ("lambda: ", "1", ""),
    ),
    *(("1 if a else ", "1", ""), ("(a:=", "1", ")"), ("await ", "a", ""), ("[a for a in ", "b", "]"), ("f'{", "a", "}'")),
    ("a[", "1", "]"),
)
JOINTS = (" or ", "+", "**", "<", ",", ".", "().", "'' ''", "=", ";", "@", "\n", " for a in ", ":a, ")
BLOCKS = ("if a:", "def f():", "for a in b:", "while a:", "with a:", "try:", "class A:", "async def f():", "match a:")
LONG = (  # how it begins, and what is repeated
    *(("if a:\n pass\n", "elif a:\n pass\n"), ("try:\n pass\n", "except a:\n pass\n"), ("class A: pass\n", "@a\n")),
    *(("", "import torch\n"), ("def f():\n", " global a\n"), ("", "a\n"), ("", "def f(): pass\n"), ("x = 1\\\n", "\\\n")),
    *(("", "#\n"), ("match a:\n", " case 1: pass\n")),
)


def as_structure(rng: random.Random) -> str:
    """Nest something, chain something, or go on, as far as the size cap allows."""
    size = rng.choice([30, 90, 150, 300, 1000, 4000, MAX_BYTES])
    match rng.randrange(5):
        case 0:
            left, core, right = rng.choice(NESTED)
            times = min(size, (MAX_BYTES - 100) // (len(left) + len(right)))
            body = "x = " + left * times + core + right * times
        case 1:
            joint = rng.choice(JOINTS)
            body = "x = " + joint.join(["a"] * min(size, (MAX_BYTES - 100) // (len(joint) + 1)))
        case 2:
            heads = [rng.choice(BLOCKS) for _ in range(min(size, 240))]
            body = "\n".join(" " * i + head for i, head in enumerate(heads)) + "\n" + " " * len(heads) + "pass"
        case 3:
            first, line = rng.choice(LONG)
            body = first + line * min(size, (MAX_BYTES - 100) // len(line))
        case 4:
            body = "match a:\n  case " + "[" * (size % 120) + "]" * (size % 120) + ": pass"
    return body + METHOD


KINDS = {"bytes": as_bytes, "tokens": as_tokens, "tree": as_tree, "grammar": as_grammar, "structure": as_structure}


def sources(count: int) -> Iterator[tuple[str, str | bytes]]:
    """Yield so many fuzzed sources, each with what made it."""
    for number, kind in zip(range(count), itertools.cycle(KINDS)):
        yield f"{kind} {number}", KINDS[kind](random.Random(f"{kind}/{number}"))


@pytest.fixture(scope="module")
def syntax() -> Iterator[WorkerProcess]:
    with WorkerProcess() as worker:
        yield worker


def check(syntax: WorkerProcess, count: int, tell: Callable[[str], None]) -> None:
    screen, crashed, edited, times = Screen(syntax), 0, 0, [(0.0, "")]
    tools = Tools(syntax, grammar=GRAMMAR)
    assert screen.check(SEEDS[0]).method
    for number, (name, source) in enumerate(sources(count)):
        began = time.monotonic()
        answer = screen.parse(source)
        times.append((time.monotonic() - began, name))
        check_answer(answer, name)
        crashed += "crashed" in answer.reason
        if answer.method is not None:
            edited += 1
            seeds = random.Random(number).sample(SEEDS, 2)
            for parents in ([answer.method.source, *seeds], [seeds[0], answer.method.source]):
                offline = operators.load(OFFLINE[number % len(OFFLINE)])
                assert isinstance(offline, Offline)
                made = offline._edited(tools, parents, (), number, ())
                assert (made.source is None) == bool(made.problem), name
                assert not re.search("crashed|cannot edit these", made.problem), (name, made.problem)
    assert screen.check(SEEDS[1]).method, "what is honest passes as before"
    tell(f"{count} fuzzed sources: {edited} passed and were edited offline, {crashed} crashed or outlasted the parser")
    times.sort(reverse=True)
    tell("slowest to screen, wall clock: " + ", ".join(f"{name} {seconds:.2f} s" for seconds, name in times[:3]))


def check_answer(answer: Screened, name: str) -> None:
    """A source is a method or has a reason, which is one printable line."""
    assert (answer.method is None) == bool(answer.reason), name
    assert answer.reason.isprintable(), (name, answer.reason)
    assert "Error" not in answer.reason, (name, answer.reason)


@pytest.mark.thorough
def test_fuzzed_sources_end_in_a_method_or_a_sentence(syntax: WorkerProcess, tell: Callable[[str], None]) -> None:
    check(syntax, 100, tell)


@pytest.mark.slow
def test_a_thousand_fuzzed_sources_end_in_a_method_or_a_sentence(syntax: WorkerProcess, tell: Callable[[str], None]) -> None:
    check(syntax, 1000, tell)
