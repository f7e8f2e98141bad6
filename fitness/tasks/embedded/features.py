"""Extracts what a language model knows of an item: last hidden state, and where the answer surprised it (builder only)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import torch

from fitness.assets.corpus import Item
from fitness.assets.transformer import Transformer

BATCH = 256  # documents a forward pass


def features(model: Transformer, opening: Sequence[int], items: Sequence[Item]) -> np.ndarray:
    """Return (n, 2 * width) float32 features of items that each follow the same opening tokens.

    First half: the final hidden state at the item's last token. Second half, the per-channel surprisal: the sum over the
    answer's tokens of h * (E[token] - E_p[E]), with h the hidden state before the token, E the output embedding and p the
    prediction. Items are batched by length, so nothing is padded.
    """
    out = np.empty((len(items), 2 * model.shape.width), dtype=np.float32)
    by_length: dict[int, list[int]] = defaultdict(list)
    for row, item in enumerate(items):
        by_length[len(item.tokens)].append(row)
    for _, rows in sorted(by_length.items()):
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            out[part] = _batch(model, opening, [items[row] for row in part])
    return out


def _batch(model: Transformer, opening: Sequence[int], items: Sequence[Item]) -> np.ndarray:
    tokens = torch.tensor([[*opening, *item.tokens] for item in items])
    places = [(i, len(opening) + p) for i, item in enumerate(items) for p in range(*item.answer)]
    rows, answer = torch.tensor([i for i, _ in places]), torch.tensor([p for _, p in places])
    with torch.inference_mode():
        hidden = model.hidden(tokens)
        before, embedding = hidden[rows, answer - 1], model.embedding.weight
        expected = torch.softmax(before @ embedding.T, -1) @ embedding
        surprise = before * (embedding[tokens[rows, answer]] - expected)
        total = torch.zeros(len(items), hidden.shape[2]).index_add_(0, rows, surprise)
        return torch.cat([hidden[:, -1], total], 1).numpy()
