"""Auxiliary confidence loss: the student may overrule the teacher where it is confident itself.

Burns et al., "Weak-to-strong generalization" (2023), section 4.3 and appendix A.4: cross-entropy towards the teacher plus
cross-entropy towards the student's own hardened predictions, whose threshold keeps the teacher's class balance.
"""

import torch

STRENGTH = 0.75
WARMUP = 50
EPOCHS = 8
LEARNING_RATE = 3e-3


def loss(logits, targets, weights, step):
    """Mix the teacher's labels with the student's own, more and more of the latter over the first steps (Burns et al. 2023)."""
    own = logits.detach().softmax(1)
    share = targets.mean(0)
    edges = torch.stack([own[:, c].quantile(1 - share[c]) for c in range(len(share))])
    hardened = torch.nn.functional.one_hot((own - edges).argmax(1), len(share)).to(targets.dtype)
    alpha = STRENGTH * min(1.0, (step + 1) / WARMUP)
    mixed = (1 - alpha) * targets + alpha * hardened
    each = -(mixed * logits.log_softmax(1)).sum(1)
    return each.mean() if weights is None else (weights * each).mean()


def head(problem, x, targets, weights=None, loss=None):
    """Fit the default student (Burns et al. 2023)."""
    return problem.student.fit(x, targets, weights, epochs=EPOCHS, lr=LEARNING_RATE, loss=loss)


def method(problem):
    train, test = problem.train_x, problem.test_x
    beliefs = problem.weak
    predictor = head(problem, train, beliefs, loss=loss)
    return predictor(test)
