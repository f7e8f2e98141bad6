"""Noisy channel: the teacher's label is the truth sent through a class-conditional channel, estimated by EM.

Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm" (1979); Goldberger and
Ben-Reuven, "Training deep neural-networks using a noise adaptation layer" (2017).
"""

import torch

EPOCHS = 4
LEARNING_RATE = 3e-3
ITERATIONS = 4
DAMPING = 0.6


def head(problem, x, targets, weights=None, loss=None):
    """Fit the default student (Burns et al. 2023)."""
    return problem.student.fit(x, targets, weights, epochs=EPOCHS, lr=LEARNING_RATE, loss=loss)


def rounds(learn, train, beliefs):
    """Alternate between the student, the channel, and the posterior of the true class (Dawid and Skene 1979)."""
    classes = beliefs.shape[1]
    said = torch.nn.functional.one_hot(beliefs.argmax(1), classes).to(beliefs.dtype)
    posterior = 1 / classes + DAMPING * (beliefs - 1 / classes)
    for iteration in range(ITERATIONS):
        predictor = learn(posterior)
        if iteration + 1 < ITERATIONS:
            prior = predictor(train).clamp(0.02, 0.98)
            channel = (prior.T @ said) / prior.sum(0)[:, None]
            posterior = prior * (said @ channel.T)
            posterior = posterior / posterior.sum(1, keepdim=True)
    return predictor


def method(problem):
    train, test = problem.train_x, problem.test_x

    def learn(beliefs):
        return head(problem, train, beliefs)

    predictor = rounds(learn, train, problem.weak)
    return predictor(test)
