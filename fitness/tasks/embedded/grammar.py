"""Defines the grammar of weak-to-strong methods, in which the human baselines are written.

`beliefs` are class probabilities, (n, n_classes): the teacher's at first, the last student's in later rounds. A predictor maps
(n, d) rows to (n, n_classes) probabilities. A method runs as long as so many epochs of the default student; vanilla has 8.
"""

from __future__ import annotations

from fitness.tasks.grammar import Grammar, Kind, Line, Pace, Part

KINDS = (
    Kind("represent", ("train_x", "test_x"), "return train_x, test_x", "features: fitted on train_x, applied row by row"),
    Kind("select", ("beliefs",), "", "indices of the rows to train on, in every round"),
    Kind("weigh", ("beliefs",), "return None", "a weight for each selected row", read_as="weights"),
    Kind("shape", ("beliefs",), "return beliefs", "targets from beliefs: harden, sharpen, balance"),
    Kind("loss", ("logits", "targets", "weights", "step"), "", "a scalar, for heads trained by gradient", read_as="loss"),
    Kind("head", ("problem", "x", "targets", "weights", "loss"), "", "fit a classifier; returns its predictor"),
    Kind("ensemble", ("head",), "return head", "a head made of heads"),
    Kind("rounds", ("learn", "train", "beliefs"), "return learn(beliefs)", "learn(beliefs) -> predictor, again and again"),
    Kind("finish", ("probabilities", "reference"), "return probabilities", "post-process, given the predictions on train"),
)
PARTS = (
    Part("deeper", "rounds", "    "),
    Part("at", "select", "[rows]"),
    Part("targets", "shape", "targets", "beliefs{at}"),
    Part("weights", "weigh", ", weights"),
    Part("loss", "loss", ", loss=loss"),
    Part("fitter", "ensemble", "ensemble(head)", "head"),
    Part("fit", "head", "{fitter}(problem, train{at}, {targets}{weights}{loss})"),
)
ENTRY = (
    Line("def method(problem):"),
    Line("    train, test = represent(problem.train_x, problem.test_x)", "represent"),
    Line("    train, test = problem.train_x, problem.test_x", "-represent"),
    Line("", "rounds"),
    Line("    def learn(beliefs):", "rounds"),
    Line("    beliefs = problem.weak", "-rounds"),
    Line("    {deeper}rows = select(beliefs)", "select"),
    Line("    {deeper}weights = weigh(beliefs{at})", "weigh"),
    Line("    {deeper}targets = shape(beliefs{at})", "shape"),
    Line("        return {fit}", "rounds"),
    Line("", "rounds"),
    Line("    predictor = rounds(learn, train, problem.weak)", "rounds"),
    Line("    predictor = {fit}", "-rounds"),
    Line("    return finish(predictor(test), predictor(train))", "finish"),
    Line("    return predictor(test)", "-finish"),
)
PLAIN = '''
EPOCHS = 8
LEARNING_RATE = 3e-3


def head(problem, x, targets, weights=None, loss=None):
    """Fit the default student (Burns et al. 2023)."""
    return problem.student.fit(x, targets, weights, epochs=EPOCHS, lr=LEARNING_RATE, loss=loss)
'''
ADOPTING = '''
import torch


class Handed:
    """The problem as a whole method is handed it: other training rows, other labels, other rows to predict."""

    def __init__(self, problem, train_x, weak, test_x):
        self.train_x, self.weak, self.test_x = train_x, weak, test_x
        self.pairs = problem.pairs if len(train_x) == len(problem.train_x) else None
        self.seed, self.device, self.n_classes, self.student = problem.seed, problem.device, problem.n_classes, problem.student


def head(problem, x, targets, weights=None, loss=None):
    """Use a whole method as a head."""

    def predictor(rows):
        p = torch.as_tensor(whole(Handed(problem, x, targets, rows))).float()
        return torch.stack([1 - p, p], 1) if p.ndim == 1 else p

    return predictor
'''
BOUNDS = (
    ("BATCH", 32, 512),
    ("COMPONENTS", 1, 64),
    ("EPOCHS", 1, 20),
    ("HIDDEN", 16, 128),
    ("ITERATIONS", 2, 16),
    ("LEARNING_RATE", 1e-4, 3e-2),
    ("MEMBERS", 2, 6),
    ("NEIGHBOURS", 3, 60),
    ("ROUNDS", 2, 16),
    ("SHARPNESS", 0.2, 20),
    ("STEPS", 20, 280),
    ("SWEEPS", 1, 20),
    ("WEIGHT_DECAY", 1e-6, 1.0),
)
PACE = Pace(
    slowest=12,
    once=2.0,  # such as a projection on principal components
    least=0.5,  # a head that is fitted in closed form
    repeats=("ROUNDS", "ITERATIONS", "MEMBERS"),
    adds=(("EPOCHS", 0, 1), ("SWEEPS", 8, 1 / 4), ("STEPS", 0, 1 / 12)),  # a step of descent is over all rows
)
GRAMMAR = Grammar(
    kinds=KINDS,
    core="head",
    entry=ENTRY,
    parts=PARTS,
    plain=PLAIN,
    adopting=ADOPTING,
    docstring='"""A bred method: every step names the work it comes from."""',
    bounds=BOUNDS,
    pace=PACE,
)
