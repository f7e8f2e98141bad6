"""Self-training: the student teaches itself on what it is most confident of, round after round.

Scudder, "Probability of error of some adaptive pattern-recognition machines" (1965); Yarowsky, "Unsupervised word sense
disambiguation rivaling supervised methods" (1995);
Lee, "Pseudo-label" (2013). Each round starts anew from the last student's labels, split at their median, as in bootstrapping.
"""

import torch

FRACTION = 0.5
EPOCHS = 4
LEARNING_RATE = 3e-3
ROUNDS = 5


def select(beliefs):
    """Keep the rows farthest from the median belief, the same fraction of each side (Yarowsky 1995)."""
    margin, side = (beliefs - beliefs.median(0).values).max(1)
    kept = []
    for c in range(beliefs.shape[1]):
        rows = torch.where(side == c)[0]
        best = margin[rows].argsort(descending=True, stable=True)
        kept.append(rows[best[: int(FRACTION * len(rows))]])
    return torch.cat(kept)


def shape(beliefs):
    """Harden at the median, so that the classes stay balanced."""
    side = (beliefs - beliefs.median(0).values).argmax(1)
    return torch.nn.functional.one_hot(side, beliefs.shape[1]).to(beliefs.dtype)


def head(problem, x, targets, weights=None, loss=None):
    """Fit the default student (Burns et al. 2023)."""
    return problem.student.fit(x, targets, weights, epochs=EPOCHS, lr=LEARNING_RATE, loss=loss)


def rounds(learn, train, beliefs):
    """Learn again and again from what was learnt (Scudder 1965, Lee 2013)."""
    predictor = learn(beliefs)
    for _ in range(ROUNDS - 1):
        predictor = learn(predictor(train))
    return predictor


def method(problem):
    train, test = problem.train_x, problem.test_x

    def learn(beliefs):
        rows = select(beliefs)
        targets = shape(beliefs[rows])
        return head(problem, train[rows], targets)

    predictor = rounds(learn, train, problem.weak)
    return predictor(test)
