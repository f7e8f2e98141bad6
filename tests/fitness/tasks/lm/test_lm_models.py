"""Models from disk, prompts, features and teachers, on a tiny model: what is kept, gone on with, halved, and refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitness.registry import UsageError
from fitness.tasks.lm import kept, models
from tests.support import tiny_lm

tiny_lm.needs_transformers()

import torch  # noqa: E402  # what follows needs transformers

from fitness.sandbox.inside.lora import LanguageModel, TooLong  # noqa: E402
from fitness.tasks.lm import prompts  # noqa: E402
from fitness.tasks.lm.readers import Reader  # noqa: E402
from fitness.tasks.lm.rows import COMPARISON, SINGLE, load  # noqa: E402

TEXTS = [f"Question: Q entity{n} attribute1 A\nAnswer: {' '.join(['so'] * (1 + n % 7))} ;\n" for n in range(40)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_lm.save_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def loaded(folder: Path) -> models.Loaded:
    torch.set_num_threads(1)
    return models.load(str(folder))


def asked(loaded: models.Loaded, **options: Any) -> LanguageModel:
    return LanguageModel(loaded.model, loaded.padding, prompts.answers(loaded.tokenizer, SINGLE), **options)


def tokens(loaded: models.Loaded) -> list[list[int]]:
    return prompts.sequences(loaded.tokenizer, TEXTS, False, 100)


def test_a_prompt_is_the_text_and_the_word_label_each_made_tokens_of_by_itself(loaded: models.Loaded) -> None:
    words = loaded.tokenizer.convert_ids_to_tokens(tokens(loaded)[0])
    assert words == ["Question", ":", "Q", "entity0", "attribute1", "A", "Answer", ":", "so", ";", "Label", ":"]


def test_what_is_too_long_is_cut_before_the_word_label(loaded: models.Loaded) -> None:
    cut = prompts.sequences(loaded.tokenizer, TEXTS, False, 8)
    whole = tokens(loaded)
    assert all(short == long[:6] + long[-2:] for short, long in zip(cut, whole))


def test_a_chat_model_reads_what_its_template_makes_of_a_message(loaded: models.Loaded, folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "tiny-chat"
    shutil.copytree(folder, own)
    assert models.is_chat(str(own))
    with pytest.raises(UsageError, match="its tokenizer has no chat template"):
        prompts.sequences(loaded.tokenizer, TEXTS, True, 100)
    tokenizer = models.tokenizer_of(str(own))
    tokenizer.chat_template = "{% for m in messages %}user : {{ m['content'] }} {% endfor %}assistant :"
    found = prompts.sequences(tokenizer, TEXTS[:1], True, 100)[0]
    words = tokenizer.convert_ids_to_tokens(found)
    assert words[:3] == ["user", ":", "Question"]
    assert words[-4:] == ["Label", ":", "assistant", ":"]
    cut = prompts.sequences(tokenizer, TEXTS[:1], True, 10)[0]
    assert len(cut) <= 10
    assert tokenizer.convert_ids_to_tokens(cut)[-4:] == ["Label", ":", "assistant", ":"]


@pytest.mark.parametrize(
    ("name", "chat"),
    [
        ("Qwen/Qwen1.5-0.5B-Chat", True),
        ("Qwen/Qwen3-4B-Base", False),
        ("Qwen/Qwen3-4B", False),
        ("google/gemma-3-1b-it", True),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", True),
        ("/my_items/a-chat/model", False),
        ("/models/chat-base", False),
    ],
)
def test_a_chat_model_is_one_by_its_name(name: str, chat: bool) -> None:
    assert models.is_chat(name) is chat


def test_answers_are_one_token_each(loaded: models.Loaded) -> None:
    found = prompts.answers(loaded.tokenizer, COMPARISON)
    assert loaded.tokenizer.convert_ids_to_tokens(list(found)) == ["A", "B"]
    known = COMPARISON.__class__(COMPARISON.fields, COMPARISON.template, ("so so", "B"), COMPARISON.labels)
    with pytest.raises(UsageError, match="so so and B are not one token each"):
        prompts.answers(loaded.tokenizer, known)


def test_padding_and_company_change_no_answer(loaded: models.Loaded) -> None:
    model, sequences = asked(loaded), tokens(loaded)
    together = model.probabilities(sequences)
    alone = torch.cat([model.probabilities([one]) for one in sequences])
    assert torch.allclose(together, alone, atol=1e-5)


def test_states_are_those_of_a_block_below_the_last(loaded: models.Loaded) -> None:
    model, sequences = asked(loaded), tokens(loaded)
    found = torch.empty(len(sequences), 64)
    for rows, states in model.states(sequences, 0.55):
        found[rows] = states
    with torch.no_grad():
        whole = loaded.model(input_ids=torch.tensor(sequences[:1]), output_hidden_states=True)
    assert torch.allclose(found[0], whole.hidden_states[2][0, -1], atol=1e-5)  # of 4 blocks the second


class Small(LanguageModel):
    """A model on a device that has room for a few tokens at once only."""

    room = 200
    asked_for = 0

    def _asked(self, model: Any, arguments: dict[str, torch.Tensor]) -> torch.Tensor:
        Small.asked_for = max(Small.asked_for, arguments["input_ids"].numel())
        if arguments["input_ids"].numel() > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super()._asked(model, arguments)


def test_out_of_memory_halves_what_is_computed_at_once_and_goes_on(loaded: models.Loaded, folder: Path) -> None:
    answers = prompts.answers(loaded.tokenizer, SINGLE)
    small, sequences = Small(loaded.model, loaded.padding, answers), tokens(loaded)
    assert torch.allclose(small.probabilities(sequences), asked(loaded).probabilities(sequences), atol=1e-5)
    assert Small.asked_for > Small.room
    small.room = 5
    with pytest.raises(TooLong, match="a prompt of 18 tokens does not fit"):
        small.probabilities(sequences)
    none = reader(folder)
    vars(none)["model"] = small
    with pytest.raises(UsageError, match=r"has no room here: .*; set the option tokens lower, or name a smaller model"):
        none.features(TEXTS[2:])


class Broken(LanguageModel):
    """A model with an error of its own."""

    def _asked(self, model: Any, arguments: dict[str, torch.Tensor]) -> torch.Tensor:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


def test_another_error_is_no_lack_of_memory(loaded: models.Loaded) -> None:
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        Broken(loaded.model, loaded.padding, (1, 2)).probabilities(tokens(loaded))


def reader(folder: Path) -> Reader:
    return Reader(str(folder), SINGLE, 0.55, 100)


def test_features_are_computed_once_and_mapped(folder: Path) -> None:
    first = reader(folder).features(TEXTS)
    again = reader(folder)
    assert np.array_equal(again.features(TEXTS), first)
    assert "model" not in vars(again), "the model was loaded again"
    assert isinstance(first, np.memmap)
    other = reader(folder).features(TEXTS[::-1])
    assert np.allclose(other[::-1], first, atol=1e-5)


def test_what_was_interrupted_is_gone_on_with(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, texts = reader(folder).features(TEXTS)[1:].copy(), TEXTS[1:]
    before = set(kept.folder().glob("*.npy"))
    real, begun = LanguageModel.states, list[int]()

    def interrupted(self: LanguageModel, given: Any, depth: float, done: int = 0) -> Iterator[Any]:
        self._budget = 60
        begun.append(done)
        for number, part in enumerate(real(self, given, depth, done)):
            if number == 3 and len(begun) == 1:
                raise KeyboardInterrupt
            yield part

    monkeypatch.setattr(LanguageModel, "states", interrupted)
    with pytest.raises(KeyboardInterrupt):
        reader(folder).features(texts)
    assert set(kept.folder().glob("*.npy")) == before
    assert np.allclose(reader(folder).features(texts), whole, atol=1e-5)
    assert begun[0] == 0
    assert begun[1] > 0


@pytest.mark.parametrize("damage", [lambda raw: raw[: len(raw) // 2], lambda raw: b"", lambda raw: b"x" + raw[1:]])
def test_a_half_written_file_is_computed_again(folder: Path, damage: Any) -> None:
    whole = reader(folder).features(TEXTS).copy()
    for path in kept.folder().glob("*.npy"):
        path.write_bytes(damage(path.read_bytes()))
    assert np.array_equal(reader(folder).features(TEXTS), whole)


def test_only_their_owner_can_read_what_is_kept(folder: Path) -> None:
    reader(folder).features(TEXTS)
    assert kept.folder().stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept.folder().glob("*.npy"))


@pytest.mark.parametrize("how", ["probe", pytest.param("finetune", marks=pytest.mark.thorough)])
def test_a_teacher_is_taught_once_a_seed(folder: Path, tmp_path: Path, how: str) -> None:
    domain = load(tiny_lm.save_rows(tmp_path / "chat", np.random.default_rng(0), (60, 40, 40)))
    assert domain.labelled is not None
    found = [reader(folder).taught(domain.labelled, domain.test.prompts, seed, how) for seed in (1, 2)]
    assert found[0].shape == (40, 2)
    assert np.allclose(found[0].sum(1), 1, atol=1e-5)
    assert not np.array_equal(*found)
    again = reader(folder)
    assert np.array_equal(again.taught(domain.labelled, domain.test.prompts, 1, how), found[0])
    assert "model" not in vars(again), "the model was loaded again"


def test_what_is_no_model_is_a_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is neither a folder nor in Hugging Face's cache: download it once with `hf download"):
        models.folder_of("nobody/has-this-model")
    with pytest.raises(UsageError, match="there is no folder /no/such/model: name one that holds a model"):
        models.folder_of("/no/such/model")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"holds no model, it has no config\.json: save the model"):
        models.folder_of(str(tmp_path / "empty"))
    own = shutil.copytree(folder, tmp_path / "own")
    (own / "model.safetensors").write_bytes(b"half")
    with pytest.raises(UsageError, match="cannot be loaded"):
        models.load(str(own))
    (own / "model.safetensors").unlink()
    with pytest.raises(UsageError, match=r"has no weights as \.safetensors"):
        models.load(str(own))
    shutil.copy(folder / "model.safetensors", own)
    (own / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    with pytest.raises(UsageError, match="is not that of a decoder"):
        models.shape_of(str(own))


def test_weights_that_were_cut_short_are_told_before_they_are_loaded(folder: Path, tmp_path: Path) -> None:
    own = shutil.copytree(folder, tmp_path / "own")
    models.check_weights(own)
    held, whole = own / "model.safetensors", (folder / "model.safetensors").read_bytes()
    held.write_bytes(whole[:-1])
    with pytest.raises(
        UsageError, match=f"has {len(whole) - 1:,} of {len(whole):,} bytes: download the model, or save it, again"
    ):
        models.check_weights(own)
    for damaged in (b"", b"half", whole[:100], b"x" * 100):
        held.write_bytes(damaged)
        with pytest.raises(UsageError, match=r"model\.safetensors is no whole \.safetensors file"):
            models.check_weights(own)
    held.write_bytes(whole)
    index = {"weight_map": {"model.norm.weight": "model-00002-of-00002.safetensors"}}
    (own / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(UsageError, match=r"lacks model-00002-of-00002\.safetensors, which its index names"):
        models.check_weights(own)


def test_a_gated_model_without_its_weights_says_how_to_have_them(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = tmp_path / "models--org--gated"
    for place in (entry / "refs", entry / "snapshots" / "abc"):
        place.mkdir(parents=True)
    (entry / "refs" / "main").write_text("abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    shutil.copy(folder / "config.json", entry / "snapshots" / "abc")
    with pytest.raises(UsageError, match=r"has no weights .*`hf download org/gated` \(a gated model wants its licence"):
        models.folder_of("org/gated")
    shutil.copy(folder / "model.safetensors", entry / "snapshots" / "abc")
    assert models.folder_of("org/gated") == (entry / "snapshots" / "abc").resolve()


def test_a_tokenizer_without_padding_pads_with_its_end_or_is_a_sentence(folder: Path) -> None:
    tokenizer = models.tokenizer_of(str(folder))
    tokenizer.pad_token = None
    assert models.padding_of(tokenizer) == tokenizer.eos_token_id
    tokenizer.eos_token = tokenizer.unk_token = None
    with pytest.raises(UsageError, match="has no padding token"):
        models.padding_of(tokenizer)


def test_sizes_are_those_of_the_model(folder: Path, loaded: models.Loaded) -> None:
    norms = sum(p.numel() for name, p in loaded.model.named_parameters() if "norm" in name)
    assert models.shape_of(str(folder)).parameters + norms == loaded.model.num_parameters()
