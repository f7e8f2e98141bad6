"""Defines a small causal transformer: pre-norm blocks, learned positions, tied output embedding."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Shape:
    """The size of a transformer.

    Attributes:
        vocabulary: number of tokens.
        width: channels of the residual stream (d).
        layers: number of blocks.
        heads: attention heads a block.
        context: longest sequence, in tokens.
    """

    vocabulary: int
    width: int
    layers: int
    heads: int = 4
    context: int = 64


class Block(nn.Module):
    """Causal self-attention and a ReLU feed-forward layer, each behind a layer norm."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (batch, time, width) to the same shape."""
        n, time, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(n, time, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(attended.transpose(1, 2).reshape(n, time, width))
        mixed: torch.Tensor = x + self.down(F.relu(self.up(self.norm2(x))))
        return mixed


class Transformer(nn.Module):
    """A language model over token ids."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.position = nn.Embedding(shape.context, shape.width)
        self.blocks = nn.ModuleList(Block(shape.width, shape.heads) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width)
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.7 / module.weight.shape[1] ** 0.5)

    def hidden(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the final normalised hidden states, (batch, time, width)."""
        x = self.embedding(tokens) + self.position.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        normalised: torch.Tensor = self.norm(x)
        return normalised

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return next-token logits, (batch, time, vocabulary)."""
        return self.hidden(tokens) @ self.embedding.weight.T


def save(model: Transformer, path: Path, dtype: torch.dtype = torch.float32) -> None:
    """Write the weights as safetensors, with the shape in the header."""
    from safetensors.torch import save_file

    header = {key: str(value) for key, value in asdict(model.shape).items()}
    tensors = {key: value.detach().to(dtype).contiguous() for key, value in model.state_dict().items()}
    save_file(tensors, path, metadata=header)


def load(path: Path) -> Transformer:
    """Read a model written by `save`, in evaluation mode and float32."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        shape = Shape(**{key: int(value) for key, value in file.metadata().items()})
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (safe_open is not a mapping)
    model = Transformer(shape)
    model.load_state_dict(state)
    return model.eval()
