"""Pretrains the small language models: `python -m fitness.assets.pretrain strong` (or another of RECIPES).

Trains by steps, each step's documents drawn from (seed, step), so a run that was stopped goes on from its last checkpoint to
the same weights. Writes the weights beside this file and prints what the model card records.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from fitness.assets import corpus
from fitness.assets.harder import HARDER
from fitness.assets.transformer import Shape, Transformer, load, save

HERE = Path(__file__).parent
CHECKPOINT_EVERY = 100
CORPORA = {"embedded": corpus.EMBEDDED, "harder": HARDER}


@dataclass(frozen=True)
class Recipe:
    """How one model is trained.

    Attributes:
        shape: the model's size.
        schedule: steps the learning-rate schedule is laid out for (1 % warm-up, constant to 60 %, linear to 2 %).
        stop: steps actually taken; fewer than `schedule` is early stopping.
        documents: documents a step.
        learning_rate: peak learning rate of AdamW.
        seed: of the initial weights and of every step's documents.
        corpus: what it is trained on, a name of CORPORA.
        half: whether its weights are stored as float16.
        start: the recipe with whose weights it begins; "" for weights drawn from the seed.
    """

    shape: Shape
    schedule: int
    stop: int
    documents: int
    learning_rate: float
    seed: int
    corpus: str = "embedded"
    half: bool = False
    start: str = ""


ONE = Shape(corpus.VOCABULARY, 128, 4)
FIVE = Shape(corpus.VOCABULARY, 256, 6, heads=8)
TWENTY = Shape(corpus.VOCABULARY, 448, 8, heads=8)


def _first(shape: Shape, rate: float, seed: int) -> Recipe:
    """Return the recipe of a model that learns the embedded corpus: from the harder one alone it learns too slowly."""
    return Recipe(shape, schedule=5000, stop=5000, documents=64, learning_rate=rate, seed=seed)


def _then(shape: Shape, rate: float, seed: int, start: str) -> Recipe:
    """Return the recipe of a model that goes on with the harder corpus."""
    return Recipe(shape, 1000, 1000, documents=64, learning_rate=rate, seed=seed, corpus="harder", half=True, start=start)


RECIPES = {
    "strong": _first(ONE, 2e-3, seed=1),
    "weak": Recipe(Shape(corpus.VOCABULARY, 32, 2), schedule=5000, stop=2000, documents=64, learning_rate=3e-3, seed=2),
    "scale/5m-first": _first(FIVE, 1e-3, seed=13),
    "scale/20m-first": _first(TWENTY, 7e-4, seed=14),
    "scale/1m": _then(ONE, 1e-3, 21, "strong"),
    "scale/5m": _then(FIVE, 5e-4, 23, "scale/5m-first"),
    "scale/20m": _then(TWENTY, 3.5e-4, 24, "scale/20m-first"),
}


def learning_rate(recipe: Recipe, step: int) -> float:
    """Return the learning rate of a step."""
    done = step / recipe.schedule
    warm = min(1.0, (step + 1) / (0.01 * recipe.schedule))
    return recipe.learning_rate * warm * (1.0 if done < 0.6 else max(0.02, (1 - done) / 0.4))


def exact_answers(model: Transformer, documents: corpus.Corpus, items: int = 500, seed: int = 99) -> dict[str, float]:
    """Return, for each genre, the share of items whose whole answer is the model's first guess after a careful register."""
    draw, rates = corpus.Sampler(np.random.default_rng(seed)), {}
    word = corpus.TOKEN[corpus.REGISTERS[True][0]]
    model.eval()
    for genre in corpus.GENRES:
        right = 0
        for _ in range(items):
            item = documents.reply(genre, draw, documents.question(genre, draw), True, word)
            head = corpus.prefix(genre)
            start, stop = (len(head) + place for place in item.answer)
            tokens = torch.tensor([head + item.tokens])
            with torch.no_grad():
                guess = model(tokens)[0].argmax(-1)
            right += bool((guess[start - 1 : stop - 1] == tokens[0, start:stop]).all())
        rates[genre] = right / items
    model.train()
    return rates


def train(name: str, recipe: Recipe, folder: Path) -> None:
    """Train one model, going on from a checkpoint in `folder` when there is one, and save its weights there."""
    torch.manual_seed(recipe.seed)
    model = _begun(recipe, folder)
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.05)
    documents, checkpoint = CORPORA[recipe.corpus], folder / f"{name}.checkpoint.pt"
    first, seconds, smooth = 0, 0.0, None
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        first, seconds, smooth = saved["step"], saved["seconds"], saved["loss"]
    for step in range(first, recipe.stop):
        began = time.process_time()
        loss = update(model, optimizer, recipe, step)
        smooth = loss if smooth is None else 0.98 * smooth + 0.02 * loss
        seconds += time.process_time() - began
        if (step + 1) % CHECKPOINT_EVERY == 0:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save({**state, "step": step + 1, "seconds": seconds, "loss": smooth}, checkpoint)
            rates = exact_answers(model, documents, 100) if (step + 1) % (5 * CHECKPOINT_EVERY) == 0 else ""
            print(f"{name} step {step + 1}/{recipe.stop} loss {smooth:.3f} {seconds / 60:.1f} CPU-min {rates}", flush=True)
    save(model, folder / f"{name}.safetensors", torch.float16 if recipe.half else torch.float32)
    parameters = sum(p.numel() for p in model.parameters())
    facts = {"parameters": parameters, "cpu_minutes": round(seconds / 60, 2), "loss": round(smooth or 0, 4)}
    facts["exact_answers"] = exact_answers(model, documents)
    print(json.dumps({"model": name, **facts, "recipe": asdict(recipe)}))
    checkpoint.unlink(missing_ok=True)


def _begun(recipe: Recipe, folder: Path) -> Transformer:
    """Return the model that a training begins with."""
    if not recipe.start:
        return Transformer(recipe.shape)
    places = [place / f"{recipe.start}.safetensors" for place in (folder, HERE)]
    for place in places:
        if place.exists():
            return load(place).train()
    raise SystemExit(f"train what it begins with first: python -m fitness.assets.pretrain {recipe.start} --folder {folder}")


def update(model: Transformer, optimizer: torch.optim.Optimizer, recipe: Recipe, step: int) -> float:
    """Take one optimizer step on the documents of (seed, step); return its loss in nats a token."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(recipe, step)
    tokens = torch.from_numpy(CORPORA[recipe.corpus].batch(np.random.default_rng([recipe.seed, step]), recipe.documents))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(tokens[:, :-1])
    loss = F.cross_entropy(logits.float().flatten(0, 1), tokens[:, 1:].flatten())
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def main() -> None:
    """Train the model named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=sorted(RECIPES))
    parser.add_argument(
        "--folder", type=Path, default=HERE, help="where weights and checkpoints go (default: beside this file)"
    )
    parser.add_argument("--threads", type=int, default=1, help="torch threads; the shipped weights were made with 1")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    (arguments.folder / arguments.model).parent.mkdir(parents=True, exist_ok=True)
    train(arguments.model, RECIPES[arguments.model], arguments.folder)


if __name__ == "__main__":
    main()
