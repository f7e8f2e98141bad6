"""Wants a module by a name that is put together when it runs. Success: the digits' labels come back."""


def source():
    return (
        "import torch\n"
        "def method(problem):\n    load = getattr(__builtins__, '__imp' + 'ort__', None) or __builtins__['__imp' + 'ort__']\n"
        "    found = load('sklearn.data' + 'sets', fromlist=['x']).load_digits().target[:100]\n"
        "    return torch.cat([torch.tensor(found) / 255, torch.zeros(len(problem.test_x) - 100)]).float()\n"
    )
