"""Contrast-consistent search: a probe that gives the two replies of a pair opposite answers, and sure ones.

Burns, Ye, Klein and Steinhardt, "Discovering latent knowledge in language models without supervision" (2022), section 2.2;
in whitened principal components, since a few hundred pairs cannot tell hundreds of axes apart. The teacher's labels only give
the sign. Where there are no pairs, the default student imitates the teacher in the same components.
"""

import torch

COMPONENTS = 24
RESTARTS = 10
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


def head(problem, x, targets, weights=None, loss=None):
    """Fit linear probes to the pairs, keep the most consistent and confident, turn it the labels' way (Burns et al. 2022)."""
    if problem.pairs is None or len(x) != len(problem.train_x):
        return problem.student.fit(x, targets, weights, loss=loss)
    generator = torch.Generator().manual_seed(problem.seed)
    slopes = (torch.randn(x.shape[1], RESTARTS, generator=generator) / x.shape[1] ** 0.5).to(x.device).requires_grad_()
    offsets = torch.zeros(RESTARTS, device=x.device, requires_grad=True)
    optimizer = torch.optim.AdamW([slopes, offsets], lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    paired = x[problem.pairs]
    for _ in range(STEPS):
        first, second = (paired @ slopes + offsets).sigmoid().unbind(1)
        each = ((first + second - 1) ** 2 + torch.minimum(first, second) ** 2).mean(0)
        optimizer.zero_grad()
        each.sum().backward()
        optimizer.step()
    slope, offset = slopes.detach()[:, each.argmin()], offsets.detach()[each.argmin()]
    pull = targets[:, 1] - targets[:, 1].mean()
    pull = pull if weights is None else pull * weights
    sign = (((x @ slope + offset).sigmoid() - 0.5) @ pull).sign()
    return lambda rows: torch.stack([-sign * (rows @ slope + offset), sign * (rows @ slope + offset)], 1).div(2).softmax(1)


def method(problem):
    train, test = represent(problem.train_x, problem.test_x)
    beliefs = problem.weak
    predictor = head(problem, train, beliefs)
    return predictor(test)
