"""Internal coherence maximization: search for the labels that predict each other best, by simulated annealing.

Wen et al., "Unsupervised elicitation of language models" (2025), algorithm 1. There a language model predicts each label from
all others in its context; here a ridge regression on the representation does, whose leave-one-out predictions have a closed
form. The search begins with the teacher's labels, and the two replies of a pair, where there are any, take opposite labels.
"""

import torch

COMPONENTS = 24
PENALTY = 10.0
SHARPNESS = 4.0
STEPS = 280
BATCH = 16
HOTTEST = 10.0
COOLEST = 0.01


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
    leverage = (x @ inverse * x).sum(1, keepdim=True)
    pairs = problem.pairs if problem.pairs is not None and len(x) == len(problem.train_x) else None
    labels, kept, coherence = targets.argmax(1), None, None
    for step in range(STEPS):
        proposed = labels.clone()
        if kept is not None:
            some = torch.randint(len(x), (BATCH,), generator=generator).to(x.device)
            proposed[some] = kept[some].argmax(1)
        if pairs is not None:
            proposed[pairs[:, 1]] = 1 - proposed[pairs[:, 0]]
        signs = torch.nn.functional.one_hot(proposed, targets.shape[1]) - targets.mean(0)
        predicted = (x @ (inverse @ (x.T @ signs)) - leverage * signs) / (1 - leverage)
        found = (SHARPNESS * predicted).log_softmax(1).gather(1, proposed[:, None]).sum()
        temperature = max(COOLEST, HOTTEST / (1 + step))
        if kept is None or torch.rand((), generator=generator).log() < float(found - coherence) / temperature:
            labels, kept, coherence = proposed, predicted, found
    slopes = inverse @ (x.T @ (torch.nn.functional.one_hot(labels, targets.shape[1]) - targets.mean(0)))
    middle = (x @ slopes).median(0).values
    return lambda rows: (SHARPNESS * (rows @ slopes - middle)).softmax(1)


def method(problem):
    train, test = represent(problem.train_x, problem.test_x)
    beliefs = problem.weak
    predictor = head(problem, train, beliefs)
    return predictor(test)
