"""Co-teaching: two students, each taught by the examples that the other finds easy.

Han, Yao, Yu, Niu, Xu, Hu, Tsang and Sugiyama, "Co-teaching: robust training of deep neural networks with extremely noisy
labels" (2018).
"""

import torch

FORGET = 0.35
RAMP = 3
EPOCHS = 8
LEARNING_RATE = 2e-3
BATCH = 128
HIDDEN = 64


def shape(beliefs):
    """Harden: the most probable class gets everything."""
    return torch.nn.functional.one_hot(beliefs.argmax(1), beliefs.shape[1]).to(beliefs.dtype)


def network(d, classes, generator):
    """Draw the parameters of a one-hidden-layer network."""
    first = torch.randn(d, HIDDEN, generator=generator) / d**0.5
    last = torch.randn(HIDDEN, classes, generator=generator) / HIDDEN**0.5
    return [p.requires_grad_() for p in (first, torch.zeros(HIDDEN), last, torch.zeros(classes))]


def forward(parameters, x):
    """Return the logits of one-hidden-layer networks."""
    first, bias, last, offset = (p.to(x.device) for p in parameters)
    return torch.relu(x @ first + bias) @ last + offset


def head(problem, x, targets, weights=None, loss=None):
    """Train two peers; each learns from the batch's small-loss rows as the other sees them (Han et al. 2018)."""
    generator = torch.Generator().manual_seed(problem.seed)
    peers = [network(x.shape[1], targets.shape[1], generator) for _ in range(2)]
    optimizer = torch.optim.AdamW([p for peer in peers for p in peer], lr=LEARNING_RATE)
    for epoch in range(EPOCHS):
        keep = 1 - FORGET * min(1.0, epoch / RAMP)
        for batch in torch.randperm(len(x), generator=generator).to(x.device).split(BATCH):
            each = [-(targets[batch] * forward(peer, x[batch]).log_softmax(1)).sum(1) for peer in peers]
            each = each if weights is None else [e * weights[batch] for e in each]
            easy = [e.detach().argsort(stable=True)[: max(1, int(keep * len(batch)))] for e in each]
            optimizer.zero_grad()
            (each[0][easy[1]].mean() + each[1][easy[0]].mean()).backward()
            optimizer.step()
    return lambda rows: sum(forward(peer, rows).detach().softmax(1) for peer in peers) / 2


def method(problem):
    train, test = problem.train_x, problem.test_x
    beliefs = problem.weak
    targets = shape(beliefs)
    predictor = head(problem, train, targets)
    return predictor(test)
