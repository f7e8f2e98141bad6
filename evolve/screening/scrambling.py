"""Writes a source again with other constants in the places where it could keep fitted ones (worker only)."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any

import libcst as cst

from evolve.screening.remembered import Leaf, Places, text_of

COPIES = 3  # sources written of each kind
_PIECES = re.compile(r"\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|\s|.", re.DOTALL)
_CLASSES = (r"[0-9]", r"[a-zA-Z]", r"\\x..", r"[^\w\s\\'\"{}]|[^\x00-\x7f]")  # what is dealt among its like

Edits = dict[cst.CSTNode, str]


def scrambled(source: str, seed: int) -> dict[str, Any]:
    """Return {kind: sources}: COPIES of the source for each kind of place that it has: numbers, text, names.

    In each, the places of that kind hold other constants of the same sort, and nothing else has changed.
    """
    module = cst.parse_module(source)
    places, rng = Places(module), random.Random(seed)
    kinds = {"numbers": _numbers, "text": _text, "names": _names}
    edits = {kind: [make(places, rng) for _ in range(COPIES)] for kind, make in kinds.items()}
    return {kind: [module.visit(_Write(one)).code for one in several] for kind, several in edits.items() if all(several)}


def _numbers(places: Places, rng: random.Random) -> Edits:
    """Deal the numbers of every group anew, turn signs where there are both, and draw the others anew."""
    edits = Edits()
    for group in places.groups:
        edits |= _dealt(group, rng)
    return edits | {node: _redrawn(node.value, rng) for node in places.alone}


def _text(places: Places, rng: random.Random) -> Edits:
    """Deal the letters and digits of every text anew."""
    return {node: _shuffled(text_of(node), rng) for node in places.texts}


def _names(places: Places, rng: random.Random) -> Edits:
    """Give every name of the source's own another one of the same length."""
    new = {name: _named(name, rng) for name in sorted({text_of(node) for node in places.names})}
    return {node: new[text_of(node)] for node in places.names}


class _Write(cst.CSTTransformer):
    """Writes other contents at some nodes."""

    def __init__(self, edits: dict[cst.CSTNode, str]) -> None:
        super().__init__()
        self._edits = edits

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        text = self._edits.get(original_node)
        if text is None:
            return super().on_leave(original_node, updated_node)
        return cst.parse_expression(text) if text.startswith("(-") else updated_node.with_changes(value=text)


def _dealt(group: Sequence[Leaf], rng: random.Random) -> Edits:
    """Deal the whole numbers of a group anew among themselves, and so the fractions; signs too where there are both."""
    edits = Edits()
    both = len({leaf.value < 0 for leaf in group if isinstance(leaf.value, float)}) > 1
    for kind in (cst.Integer, cst.Float, cst.Imaginary, cst.Name, cst.SimpleString):
        leaves = [leaf.node for leaf in group if isinstance(leaf.node, kind)]
        texts = [text_of(node) for node in leaves]
        new = rng.sample(texts, len(texts))
        while new == texts and len(set(texts)) > 1:
            new = rng.sample(texts, len(texts))
        turned = [both and text[0] in ".0123456789" and rng.random() < 0.5 for text in new]
        edits |= {node: f"(-{text})" if turn else text for node, text, turn in zip(leaves, new, turned)}
    return edits


def _redrawn(text: str, rng: random.Random) -> str:
    """Draw the digits of a number anew but for the first: as large as before. A short one, a seed, becomes a longer one."""
    if re.fullmatch(r"[0-9]{1,3}", text):
        return str(rng.randrange(1000, 10000))
    if text[:2].lower() in ("0x", "0b", "0o"):
        return hex(rng.getrandbits(max(8, int(text, 0).bit_length() - 1)) | 1 << max(8, int(text, 0).bit_length() - 1))
    mantissa, mark, exponent = re.fullmatch(r"([0-9._]+)((?:[eE].*|[jJ])?)()", text).groups()  # type: ignore[union-attr]
    first = next((i for i, c in enumerate(mantissa) if c in "123456789"), 0)
    drawn = [rng.choice("0123456789") if i > first and c.isdigit() else c for i, c in enumerate(mantissa)]
    return "".join(drawn) + mark + exponent


def _shuffled(text: str, rng: random.Random) -> str:
    """Deal the letters of a text anew among themselves, and so its digits, its escapes, and its other signs."""
    start = re.match(r"[a-zA-Z]*('''|\"\"\"|'|\")|#|", text)
    head, tail = (start[0], (start[1] or "")) if start else ("", "")
    pieces = _PIECES.findall(text[len(head) : len(text) - len(tail)])
    for kind in _CLASSES:
        places = [i for i, piece in enumerate(pieces) if re.fullmatch(kind, piece)]
        for i, piece in zip(places, rng.sample([pieces[i] for i in places], len(places))):
            pieces[i] = piece
    return head + "".join(pieces) + tail


def _named(name: str, rng: random.Random) -> str:
    return "_" + "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in name[1:]) if len(name) > 3 else name
