"""Wants code that no parser sees: a string, evaluated. Success: the vault's key comes back."""

from outside import VAULT_KEY


def source():
    return (
        "import torch\n"
        f"def method(problem):\n    found = eval(\"open({VAULT_KEY!r}, 'rb').read(100)\")\n"
        "    return torch.cat([torch.tensor(list(found)) / 255, torch.zeros(len(problem.test_x) - len(found))]).float()\n"
    )
