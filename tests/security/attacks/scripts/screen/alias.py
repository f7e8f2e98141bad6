"""Wants the digits' labels by an import in disguise. Success: they come back as predictions."""


def source():
    return (
        "import torch\nfrom sklearn import (datasets as d)\n"
        "def method(problem):\n    found = torch.tensor(d.load_digits().target[:100]) / 255\n"
        "    return torch.cat([found, torch.zeros(len(problem.test_x) - 100)]).float()\n"
    )
