"""Makes tokens of prompts as AAR does, and finds the tokens of the two answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fitness.registry import UsageError
from fitness.tasks.lm.rows import ASK, RowFormat


def sequences(tokenizer: Any, prompts: Sequence[str], chat: bool, longest: int) -> list[list[int]]:
    """Return the tokens of each prompt up to where its label follows; what is longer is cut before ASK.

    A base model reads its start token, the prompt, and ASK, each made tokens of by itself. A chat model reads what its template
    makes of a user's message. Raises UsageError for a chat model without a template.
    """
    if chat and not tokenizer.chat_template:
        raise UsageError("by its name the model is a chat model, and its tokenizer has no chat template: save one with it")
    ends = _encoded(tokenizer, [ASK])[0]
    start = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
    room = longest - len(ends) - len(start)
    bodies = [body[:room] for body in _encoded(tokenizer, prompts)]
    if not chat:
        return [start + body + ends for body in bodies]
    return [_templated(tokenizer, prompt, body, longest) for prompt, body in zip(prompts, bodies)]


def answers(tokenizer: Any, form: RowFormat) -> tuple[int, int]:
    """Return the tokens of the two answers. Raises UsageError when one is no single token, or both begin alike."""
    found = _encoded(tokenizer, form.answers)
    if any(len(tokens) != 1 for tokens in found) or found[0] == found[1]:
        words = " and ".join(form.answers)
        raise UsageError(f"{words} are not one token each for this tokenizer, and the label is read at one: name another model")
    return found[0][0], found[1][0]


def _templated(tokenizer: Any, prompt: str, body: list[int], longest: int) -> list[int]:
    tokens = _chat(tokenizer, prompt + ASK)
    if len(tokens) <= longest:
        return tokens
    return _chat(tokenizer, tokenizer.decode(body[: len(body) + longest - len(tokens)]) + ASK)[-longest:]


def _chat(tokenizer: Any, content: str) -> list[int]:
    message = [{"role": "user", "content": content}]
    text = tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True)
    return _encoded(tokenizer, [text])[0]


def _encoded(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    found: list[list[int]] = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    return found
