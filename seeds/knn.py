"""Label propagation: neighbours in the representation vote, again and again, anchored to the teacher.

Zhu, Ghahramani and Lafferty, "Semi-supervised learning using Gaussian fields and harmonic functions" (2003); Zhou, Bousquet,
Lal, Weston and Schoelkopf, "Learning with local and global consistency" (2004); the certainty weights are those of Iscen,
Tolias, Avrithis and Chum, "Label propagation for deep semi-supervised learning" (2019).
"""

import torch

COMPONENTS = 32
NEIGHBOURS = 15
SWEEPS = 10
SPREAD = 0.9


def represent(train_x, test_x):
    """Project on the first principal components, then on the unit sphere, so that a dot product is a cosine."""
    mean = train_x.mean(0)
    axes = torch.linalg.eigh((train_x - mean).T @ (train_x - mean)).eigenvectors.flip(1)[:, :COMPONENTS]
    return tuple(torch.nn.functional.normalize((x - mean) @ axes, dim=1) for x in (train_x, test_x))


def weigh(beliefs):
    """Weigh by certainty: one minus the normalised entropy (Iscen et al. 2019), never quite zero."""
    p = beliefs.clamp(1e-6, 1)
    entropy = -(p * p.log()).sum(1) / torch.tensor(float(beliefs.shape[1])).log()
    return 0.1 + (1 - entropy)


def head(problem, x, targets, weights=None, loss=None):
    """Spread targets over the graph of nearest neighbours; predict by the neighbours' vote (Zhou et al. 2004)."""
    weights = torch.ones(len(x), device=x.device) if weights is None else weights
    nearest = (x @ x.T).fill_diagonal_(-torch.inf).topk(NEIGHBOURS, 1).indices

    def vote(spread, neighbours):
        strength = weights[neighbours][:, :, None]
        return (strength * spread[neighbours]).sum(1) / strength.sum(1)

    spread = targets
    for _ in range(SWEEPS):
        spread = SPREAD * vote(spread, nearest) + (1 - SPREAD) * targets
    return lambda rows: vote(spread, (rows @ x.T).topk(NEIGHBOURS, 1).indices)


def finish(probabilities, reference):
    """Class mass normalisation, by the median: as many rows of each class as the training set has (Zhu et al. 2003)."""
    centred = probabilities - reference.median(0).values
    return (centred + 1 / centred.shape[1]).clamp(0, 1)


def method(problem):
    train, test = represent(problem.train_x, problem.test_x)
    beliefs = problem.weak
    weights = weigh(beliefs)
    predictor = head(problem, train, beliefs, weights)
    return finish(predictor(test), predictor(train))
