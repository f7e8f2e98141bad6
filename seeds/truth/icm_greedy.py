"""Labels that predict each other, found greedily: every label becomes what the others predict, all at once, again and again.

Internal coherence maximization without annealing, in the limit of no temperature: Wen et al., "Unsupervised elicitation of
language models" (2025), with ridge regression as in the baseline icm. Half of the labels are true after each sweep.
"""

import torch

COMPONENTS = 24
PENALTY = 10.0
SHARPNESS = 4.0
SWEEPS = 10


def represent(train_x, test_x):
    """Project on the first principal components and scale each to unit variance (Fisher 1936)."""
    mean = train_x.mean(0)
    spectrum = torch.linalg.eigh((train_x - mean).T @ (train_x - mean) / len(train_x))
    axes = spectrum.eigenvectors.flip(1)[:, :COMPONENTS]
    scale = spectrum.eigenvalues.flip(0)[:COMPONENTS].clamp_min(1e-9).sqrt()
    return (train_x - mean) @ axes / scale, (test_x - mean) @ axes / scale


def head(problem, x, targets, weights=None, loss=None):
    """Relabel all rows by leave-one-out ridge regression, in sweeps (Wen et al. 2025, without annealing)."""
    inverse = torch.linalg.inv(x.T @ x + PENALTY * torch.eye(x.shape[1], device=x.device))
    leverage = (x @ inverse * x).sum(1, keepdim=True)
    labels = targets - targets.mean(0)
    for _ in range(SWEEPS):
        predicted = (x @ (inverse @ (x.T @ labels)) - leverage * labels) / (1 - leverage)
        chosen = (predicted - predicted.median(0).values).argmax(1)
        labels = torch.nn.functional.one_hot(chosen, targets.shape[1]) - targets.mean(0)
    slopes = inverse @ (x.T @ labels)
    middle = (x @ slopes).median(0).values
    return lambda rows: (SHARPNESS * (rows @ slopes - middle)).softmax(1)


def method(problem):
    train, test = represent(problem.train_x, problem.test_x)
    beliefs = problem.weak
    predictor = head(problem, train, beliefs)
    return predictor(test)
