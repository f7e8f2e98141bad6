"""Consistency: a head learns the teacher's labels and, where there are pairs, that exactly one reply of each is true.

Li and Srikumar, "Augmenting neural networks with first-order logic" (2019); Xu, Zhang, Friedman, Liang and Van den Broeck,
"A semantic loss function for deep learning with symbolic knowledge" (2018). The term, p(a) + p(b) = 1 in least squares, is
that of Burns, Ye, Klein and Steinhardt, "Discovering latent knowledge in language models without supervision" (2022).
"""

import torch

COMPONENTS = 16
STRENGTH = 10.0
STEPS = 100
LEARNING_RATE = 0.05
WEIGHT_DECAY = 0.01


def represent(train_x, test_x):
    """Project on the first principal components and scale each to unit variance (Fisher 1936)."""
    mean = train_x.mean(0)
    spectrum = torch.linalg.eigh((train_x - mean).T @ (train_x - mean) / len(train_x))
    axes = spectrum.eigenvectors.flip(1)[:, :COMPONENTS]
    scale = spectrum.eigenvalues.flip(0)[:COMPONENTS].clamp_min(1e-9).sqrt()
    return (train_x - mean) @ axes / scale, (test_x - mean) @ axes / scale


def imitation(logits, targets, weights, step):
    """Return the cross-entropy towards soft labels."""
    each = -(targets * logits.log_softmax(1)).sum(1)
    return each.mean() if weights is None else (weights * each).mean()


def head(problem, x, targets, weights=None, loss=None):
    """Fit a linear head to the targets, and to the pairs when all training rows are there (Burns et al. 2022)."""
    paired = problem.pairs is not None and len(x) == len(problem.train_x)
    slopes = torch.zeros(x.shape[1], targets.shape[1], device=x.device, requires_grad=True)
    offsets = torch.zeros(targets.shape[1], device=x.device, requires_grad=True)
    optimizer = torch.optim.AdamW([slopes, offsets], lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    for step in range(STEPS):
        logits = x @ slopes + offsets
        value = (loss or imitation)(logits, targets, weights, step)
        if paired:
            value = value + STRENGTH * ((logits.softmax(1)[problem.pairs, 1].sum(1) - 1) ** 2).mean()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    return lambda rows: (rows @ slopes + offsets).detach().softmax(1)


def method(problem):
    train, test = represent(problem.train_x, problem.test_x)
    beliefs = problem.weak
    predictor = head(problem, train, beliefs)
    return predictor(test)
