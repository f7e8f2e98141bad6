"""Zero-shot elicitation: the representation's first principal component; the teacher only says which end is true.

Burns, Ye, Klein and Steinhardt, "Discovering latent knowledge in language models without supervision" (2022), section 3.3
(contrastive representation clustering by the top principal component); Zou et al., "Representation engineering" (2023).
"""

import torch

COMPONENTS = 1
SHARPNESS = 1.0


def represent(train_x, test_x):
    """Project on the first principal component (Zou et al. 2023)."""
    mean = train_x.mean(0)
    axes = torch.linalg.eigh((train_x - mean).T @ (train_x - mean)).eigenvectors.flip(1)[:, :COMPONENTS]
    return (train_x - mean) @ axes, (test_x - mean) @ axes


def head(problem, x, targets, weights=None, loss=None):
    """Split the projection at its median; the teacher's mean difference gives the sign."""
    middle, scale = x.median(0).values, x.std(0)
    pull = targets - targets.mean(0)
    pull = pull if weights is None else pull * weights[:, None]
    sign = (((x - middle) / scale).T @ pull).sign()
    return lambda rows: (SHARPNESS * ((rows - middle) / scale) @ sign / 2).softmax(1)


def method(problem):
    train, test = represent(problem.train_x, problem.test_x)
    beliefs = problem.weak
    predictor = head(problem, train, beliefs)
    return predictor(test)
