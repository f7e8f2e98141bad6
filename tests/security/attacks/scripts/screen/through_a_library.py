"""Wants os without importing it, through a library that has it. Success: the vault's key comes back."""

from outside import VAULT_KEY


def source():
    return (
        "import torch\n"
        "def method(problem):\n    os = torch.os\n"
        f"    found = torch.tensor(list(os.read(os.open({VAULT_KEY!r}, 0), 100))) / 255\n"
        "    return torch.cat([found, torch.zeros(len(problem.test_x) - len(found))]).float()\n"
    )
