"""A real language model on the task lm: SmolLM2-135M reads short texts, and an adapter of it takes a step on them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata

import pytest

from fitness.assets.truth import saved, smollm2, statements
from fitness.sandbox.inside.recipe import AAR
from tests.support import tiny_lm

tiny_lm.needs_transformers()
pytest.importorskip("gguf", reason="gguf is not there")

import torch  # noqa: E402  # what follows needs transformers

from fitness.sandbox.inside.lora import LanguageModel  # noqa: E402
from fitness.tasks.lm import models, prompts  # noqa: E402
from fitness.tasks.lm.rows import ASK, SINGLE  # noqa: E402

SHORT = 64  # tokens of a text at most


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> models.Loaded:
    try:
        metadata.distribution(smollm2.PACKAGE)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{smollm2.PACKAGE} is not there")
    return models.load(str(saved.save(tmp_path_factory.mktemp("real") / "smollm2")))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_saved_model_is_the_one_behind_the_features(loaded: models.Loaded) -> None:
    own = smollm2.SmolLM2(smollm2.find())
    for text in [one.text for one in statements.read()[::1000]] + ["Answer: 12 of 30\nLabel:"]:
        tokens = torch.tensor([own.encode(text)])
        assert loaded.tokenizer(text, add_special_tokens=False)["input_ids"] == tokens[0, 1:].tolist()
        states = loaded.model(tokens, output_hidden_states=True).hidden_states
        for block in (1, 15, 29):
            torch.testing.assert_close(states[block], own.hidden(tokens)[block], rtol=1e-3, atol=1e-2)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_an_adapter_of_a_real_model_takes_a_step_on_short_texts(loaded: models.Loaded, tell: Callable[[str], None]) -> None:
    """One step of AAR's recipe, on one batch that is all taught one label, and once more with the other label."""
    cities = [one for one in statements.read() if one.relation == "cities"][: AAR.batch]
    asked = [SINGLE.template.format(question="Is it true?", choice=one.text) for one in cities]
    texts = prompts.sequences(loaded.tokenizer, asked, False, SHORT)
    assert all(len(tokens) < SHORT for tokens in texts)
    assert loaded.tokenizer.decode(texts[0]).endswith(ASK)
    model = LanguageModel(loaded.model, loaded.padding, prompts.answers(loaded.tokenizer, SINGLE))
    before = model.probabilities(texts)
    for label, moved in ((0, -1), (1, 1)):
        goal, began = torch.nn.functional.one_hot(torch.full((len(texts),), label), 2).float(), time.process_time()
        adapter = model.fit(texts, goal, seed=1, recipe=replace(AAR, epochs=1))
        spent = time.process_time() - began
        after = adapter(texts)
        tell(
            f"a LoRA step of SmolLM2-135M on {len(texts)} texts of {sum(map(len, texts))} tokens took {spent:.1f} CPU-s: "
            f"{before[:, 1].mean():.3f} for True became {after[:, 1].mean():.3f}"
        )
        assert ((after - before)[:, 1] * moved > 0).all()
    assert torch.equal(model.probabilities(texts), before), "adapters changed the model below them"
