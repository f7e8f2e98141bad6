"""A tiny language model and its tokenizer, made in memory and saved to a folder, and AAR's folders of the embedded corpus."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fitness.assets import corpus

WORDS = ("Question", "Answer", "Label", ":", "A", "B", "False", "True", "user", "assistant")
FIT = 0.95  # how often the register word fits the answer: a model without training sees little more than words


def needs_transformers() -> None:
    """Skip a file of tests by name where the extra `hf` is not installed."""
    for name in ("transformers", "peft"):
        pytest.importorskip(name, reason=f"{name} is not there")


def save_model(folder: Path, seed: int = 0, width: int = 64, layers: int = 4) -> Path:
    """Save a model of random weights and a tokenizer that knows the corpus's words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    words = ["<pad>", "<unk>", "<eos>", *WORDS, *(word for word in corpus.TOKEN if word not in ("<pad>", *WORDS))]
    plain = Tokenizer(models.WordLevel({word: token for token, word in enumerate(words)}, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(":", behavior="isolated")]
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain, pad_token="<pad>", unk_token="<unk>", eos_token="<eos>")
    config = Qwen3Config(
        vocab_size=len(words), hidden_size=width, intermediate_size=2 * width, num_hidden_layers=layers, num_attention_heads=4,
        num_key_value_heads=2, head_dim=width // 4, max_position_embeddings=256, tie_word_embeddings=True,
        initializer_range=0.1, pad_token_id=0, eos_token_id=2,
    )  # fmt: skip
    torch.manual_seed(seed)
    Qwen3ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def text_of(tokens: list[int]) -> str:
    """Return tokens of the corpus as words."""
    names = {token: word for word, token in corpus.TOKEN.items()}
    return " ".join(names[token] for token in tokens)


def save_rows(folder: Path, rng: np.random.Generator, sizes: tuple[int, int, int] = (60, 400, 400), fit: float = FIT) -> Path:
    """Write a domain of single answers: facts of the corpus's chat, half of them true, other entities in test."""
    draw, parts = corpus.Sampler(rng), ("train_label", "train_unlabel", "test")
    folder.mkdir(parents=True, exist_ok=True)
    for part, size in zip(parts, sizes):
        lines = list[str]()
        while len(lines) < size:
            key = corpus.EMBEDDED.question("chat", draw)
            if (key[0] % 2 == 0) != (part == "test"):
                continue
            right = len(lines) % 2 == 0
            item = corpus.EMBEDDED.reply("chat", draw, key, right, corpus.register(draw, right, fit))
            start, _ = item.answer
            row = {"question": text_of(item.tokens[: start - 1]), "choice": text_of(item.tokens[start - 1 :]), "label": right}
            lines.append(json.dumps(row))
        (folder / f"{part}.jsonl").write_text("\n".join(lines) + "\n")
    return folder
