"""Internal coherence maximization: search for the labels that predict each other best, by simulated annealing.

Wen et al., "Unsupervised elicitation of language models" (2025), algorithm 1. There a language model predicts each label from
all others in its context; here a ridge regression on the representation does, whose leave-one-out predictions have a closed
form. The search begins with the teacher's labels, and the two replies of a pair, where there are any, take opposite labels.
"""

import torch
from torch.nn.functional import logsigmoid

COMPONENTS = 24
PENALTY = 10.0
SHARPNESS = 4.0
STEPS = 280
BATCH = 16
HOTTEST, COOLEST = 10.0, 0.01


def represent(train_x, test_x):
    """Project on the first principal components and scale each to unit variance (Fisher 1936)."""
    mean = train_x.mean(0)
    spectrum = torch.linalg.eigh((train_x - mean).T @ (train_x - mean) / len(train_x))
    axes = spectrum.eigenvectors.flip(1)[:, :COMPONENTS]
    scale = spectrum.eigenvalues.flip(0)[:COMPONENTS].clamp_min(1e-9).sqrt()
    return (train_x - mean) @ axes / scale, (test_x - mean) @ axes / scale


def head(problem, x, targets, weights=None, loss=None):
    """Anneal labels towards those that a ridge regression on the others predicts (Wen et al. 2025); fit it to the result."""
    generator = torch.Generator().manual_seed(problem.seed)
    inverse = torch.linalg.inv(x.T @ x + PENALTY * torch.eye(x.shape[1], device=x.device))
    leverage = (x @ inverse * x).sum(1)
    labels = (targets[:, 1] - targets[:, 0] >= 0).float() * 2 - 1
    paired = problem.pairs is not None and len(x) == len(problem.train_x)

    def agreement(labels):
        return labels * (x @ (inverse @ (x.T @ labels)) - leverage * labels) / (1 - leverage)

    coherence = agreement(labels)
    for step in range(STEPS):
        temperature = max(COOLEST, HOTTEST / (1 + step))
        some = torch.randint(len(x), (BATCH,), generator=generator).to(x.device)
        proposed = labels.clone()
        proposed[some] *= torch.where(coherence[some] < 0, -1.0, 1.0)
        if paired:
            proposed[problem.pairs[:, 1]] = -proposed[problem.pairs[:, 0]]
        found = agreement(proposed)
        gain = (logsigmoid(SHARPNESS * found) - logsigmoid(SHARPNESS * coherence)).sum()
        if torch.rand((), generator=generator).log() < float(gain) / temperature:
            labels, coherence = proposed, found
    slope = inverse @ (x.T @ labels)
    middle = (x @ slope).median()
    return lambda rows: torch.stack([middle - rows @ slope, rows @ slope - middle], 1).mul(SHARPNESS).softmax(1)


def method(problem):
    train, test = represent(problem.train_x, problem.test_x)
    beliefs = problem.weak
    predictor = head(problem, train, beliefs)
    return predictor(test)
