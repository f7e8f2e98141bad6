"""Pretraining the small models: a training that was cut off goes on to the weights that it would have had."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from fitness.assets import corpus, pretrain, transformer
from fitness.assets.transformer import Shape

SHAPE = Shape(corpus.VOCABULARY, 16, 1)
RECIPE = pretrain.Recipe(SHAPE, schedule=6, stop=6, documents=2, learning_rate=1e-3, seed=3, corpus="harder", half=True)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrain, "CHECKPOINT_EVERY", 2)
    monkeypatch.setattr(pretrain, "exact_answers", lambda *_: {})


def test_a_training_that_was_cut_off_goes_on_to_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("whole", "cut"):
        (tmp_path / folder / "scale").mkdir(parents=True)
    pretrain.train("scale/tiny", RECIPE, tmp_path / "whole")
    update = pretrain.update

    def cut_off(model: Any, optimizer: Any, recipe: Any, step: int) -> float:
        if step == 5:
            raise KeyboardInterrupt
        return update(model, optimizer, recipe, step)

    with monkeypatch.context() as patch:
        patch.setattr(pretrain, "update", cut_off)
        with pytest.raises(KeyboardInterrupt):
            pretrain.train("scale/tiny", RECIPE, tmp_path / "cut")
    assert not (tmp_path / "cut" / "scale" / "tiny.safetensors").exists()
    pretrain.train("scale/tiny", RECIPE, tmp_path / "cut")
    whole, again = (
        transformer.load(tmp_path / folder / "scale" / "tiny.safetensors").state_dict() for folder in ("whole", "cut")
    )
    assert all(torch.equal(tensor, again[name]) for name, tensor in whole.items())


def test_a_training_begins_with_the_weights_of_another_or_names_the_command_that_makes_them(tmp_path: Path) -> None:
    goes_on = replace(RECIPE, start="scale/first", stop=0)
    (tmp_path / "scale").mkdir()
    with pytest.raises(SystemExit, match="pretrain scale/first --folder"):
        pretrain.train("scale/then", goes_on, tmp_path)
    first = transformer.Transformer(SHAPE)
    transformer.save(first, tmp_path / "scale" / "first.safetensors", torch.float16)
    pretrain.train("scale/then", goes_on, tmp_path)
    begun = transformer.load(tmp_path / "scale" / "then.safetensors").state_dict()
    assert all(torch.allclose(tensor, begun[name], atol=1e-3) for name, tensor in first.state_dict().items())


def test_weights_stored_as_halves_are_read_as_floats_with_the_models_shape(tmp_path: Path) -> None:
    model = transformer.Transformer(SHAPE)
    transformer.save(model, tmp_path / "half.safetensors", torch.float16)
    transformer.save(model, tmp_path / "whole.safetensors")
    read = transformer.load(tmp_path / "half.safetensors")
    assert read.shape == SHAPE
    assert {tensor.dtype for tensor in read.parameters()} == {torch.float32}
    assert torch.allclose(read.embedding.weight, model.embedding.weight, atol=1e-4)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("half", "whole")]
    assert sizes[1] / sizes[0] == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("name", pretrain.RECIPES)
def test_every_recipe_has_a_corpus_and_a_place_for_its_weights(name: str) -> None:
    recipe = pretrain.RECIPES[name]
    assert recipe.corpus in pretrain.CORPORA
    assert recipe.stop <= recipe.schedule
    assert (recipe.corpus == "harder") == recipe.half == bool(recipe.start)
    assert not recipe.start or pretrain.RECIPES[recipe.start].shape == recipe.shape
