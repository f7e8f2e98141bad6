"""What a method may call of torch: optimisers, schedules, losses, layers, linear algebra, transforms, compilation."""

import importlib
import inspect
import pkgutil

import torch
from torch.nn import functional as F


def calls(x, y):
    """Return what to call, by name; x is (n, d) float32, y is (n,) int64."""
    return {
        **{f"optim.{name}": optimised(kind, x, y) for name, kind in optimisers()},
        **{f"lr_scheduler.{name}": scheduled(name, kind) for name, kind in schedulers()},
        **{f"nn.{name}": call for name, call in layers(x)},
        **{f"linalg.{name}": call for name, call in linear_algebra(x)},
        **{f"distributions.{name}": drawn(kind) for name, kind in distributions()},
        **transforms(x, y),
        **compiled(x),
        **data(x, y),
        **{f"import {name}": imported(name) for name in modules()},
    }


def optimisers():
    return [(n, k) for n, k in vars(torch.optim).items() if inspect.isclass(k) and n != "Optimizer"]


def optimised(kind, x, y):
    def call():
        model = torch.nn.Sequential(torch.nn.Linear(x.shape[1], 8, bias=False), torch.nn.Linear(8, 2, bias=False))
        options = {"lr": 0.01}
        optimiser = kind(model.parameters(), **options)
        if kind is torch.optim.SparseAdam:
            table = torch.nn.Embedding(4, 2, sparse=True)
            optimiser = kind(table.parameters())
            closure = descent(optimiser, lambda: table(y).square().mean())
        else:
            closure = descent(optimiser, lambda: F.cross_entropy(model(x), y))
        for _ in range(3):
            optimiser.step(closure)

    return call


def descent(optimiser, loss):
    def closure():
        optimiser.zero_grad()
        value = loss()
        value.backward()
        return value

    return closure


def schedulers():
    found = vars(torch.optim.lr_scheduler).items()
    return [(n, k) for n, k in found if inspect.isclass(k) and issubclass(k, torch.optim.lr_scheduler.LRScheduler)]


def scheduled(name, kind):
    needed = {
        "LambdaLR": {"lr_lambda": lambda step: 0.9**step}, "MultiplicativeLR": {"lr_lambda": lambda step: 0.9},
        "StepLR": {"step_size": 2}, "MultiStepLR": {"milestones": [2]}, "ExponentialLR": {"gamma": 0.9},
        "CosineAnnealingLR": {"T_max": 5}, "CyclicLR": {"base_lr": 0.01, "max_lr": 0.1},
        "CosineAnnealingWarmRestarts": {"T_0": 5}, "OneCycleLR": {"max_lr": 0.1, "total_steps": 9},
    }  # fmt: skip

    def call():
        optimiser = torch.optim.SGD([torch.zeros(2, requires_grad=True)], lr=0.1, momentum=0.9)
        if name in ("SequentialLR", "ChainedScheduler"):
            parts = [torch.optim.lr_scheduler.ConstantLR(optimiser), torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.9)]
            schedule = kind(optimiser, parts, [2]) if name == "SequentialLR" else kind(parts)
        elif name not in ("LRScheduler", "_LRScheduler"):
            schedule = kind(optimiser, **needed.get(name, {}))
        else:
            return
        optimiser.step()
        schedule.step(*([0.5] if name == "ReduceLROnPlateau" else []))

    return call


def layers(x):
    batch = x[:6, :8].contiguous()
    yield "Linear", lambda: torch.nn.Linear(8, 2)(batch).sum().backward()
    yield "Conv1d", lambda: torch.nn.Conv1d(2, 3, 3)(batch.reshape(6, 2, 4)).sum().backward()
    yield "Conv2d", lambda: torch.nn.Conv2d(1, 3, 2)(batch.reshape(6, 1, 2, 4)).sum().backward()
    yield "Embedding", lambda: torch.nn.EmbeddingBag(4, 2)(torch.tensor([[0, 1], [2, 3]])).sum().backward()
    for kind in (torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN):
        yield kind.__name__, lambda kind=kind: kind(8, 3, batch_first=True)(batch.reshape(2, 3, 8))[0].sum().backward()
    for kind in (torch.nn.BatchNorm1d, torch.nn.LayerNorm, torch.nn.RMSNorm):
        yield kind.__name__, lambda kind=kind: kind(8)(batch).sum().backward()
    yield "GroupNorm", lambda: torch.nn.GroupNorm(2, 8)(batch).sum().backward()
    yield "MultiheadAttention", lambda: torch.nn.MultiheadAttention(8, 2)(batch, batch, batch)[0].sum().backward()
    yield "Transformer", lambda: torch.nn.TransformerEncoderLayer(8, 2, 16)(batch).sum().backward()
    yield "scaled_dot_product_attention", lambda: F.scaled_dot_product_attention(*[batch.reshape(1, 1, 6, 8)] * 3)
    yield "spectral_norm", lambda: torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(8, 8))(batch)
    yield "weight_norm", lambda: torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(8, 8))(batch)
    yield "orthogonal", lambda: torch.nn.utils.parametrizations.orthogonal(torch.nn.Linear(8, 8))(batch)
    yield (
        "prune",
        lambda: importlib.import_module("torch.nn.utils.prune").l1_unstructured(torch.nn.Linear(8, 8), "weight", 0.5)(batch),
    )
    yield "clip_grad_norm_", lambda: torch.nn.utils.clip_grad_norm_([torch.zeros(3, requires_grad=True)], 1.0)
    yield "SWA", lambda: torch.optim.swa_utils.AveragedModel(torch.nn.Linear(8, 2)).update_parameters(torch.nn.Linear(8, 2))
    yield "state_dict", lambda: torch.nn.Linear(8, 2).load_state_dict(torch.nn.Linear(8, 2).state_dict())
    for name, kind in vars(torch.nn).items():
        if inspect.isclass(kind) and kind.__module__ == "torch.nn.modules.activation" and name not in (
            "MultiheadAttention", "Threshold", "Softmax2d",
        ):  # fmt: skip
            yield name, lambda kind=kind: kind()(batch)
    for kind in (
        torch.nn.CrossEntropyLoss,
        torch.nn.KLDivLoss,
        torch.nn.MSELoss,
        torch.nn.HuberLoss,
        torch.nn.BCEWithLogitsLoss,
    ):
        yield kind.__name__, lambda kind=kind: kind()(batch.softmax(1).log(), batch.softmax(1))


def linear_algebra(x):
    a = x[:8, :8].double()
    spd = a @ a.T + torch.eye(8, dtype=torch.float64)
    one = ("cholesky", "det", "eig", "eigh", "eigvals", "eigvalsh", "inv", "lu", "lu_factor", "matrix_exp", "matrix_norm")
    for name in (*one, "matrix_rank", "norm", "pinv", "qr", "slogdet", "svd", "svdvals", "cond", "ldl_factor", "inv_ex"):
        yield name, lambda name=name: getattr(torch.linalg, name)(spd)
    for name in ("solve", "lstsq", "multi_dot"):
        yield name, lambda name=name: getattr(torch.linalg, name)(*([[spd, a]] if name == "multi_dot" else [spd, a]))
    yield "solve_triangular", lambda: torch.linalg.solve_triangular(spd.triu(), a, upper=True)
    yield "householder_product", lambda: torch.linalg.householder_product(a, a[0])
    yield "svd_lowrank", lambda: torch.svd_lowrank(x, 3)
    yield "pca_lowrank", lambda: torch.pca_lowrank(x, 3)
    yield "lobpcg", lambda: torch.lobpcg(x.T @ x, 2)
    yield "cdist", lambda: torch.cdist(x, x)
    yield "eigh of a large matrix", lambda: torch.linalg.eigh(torch.randn(400, 400).cov())
    yield "svd, backward", lambda: torch.linalg.svdvals(a.clone().requires_grad_()).sum().backward()


def distributions():
    found = vars(torch.distributions).items()
    return [(n, k) for n, k in found if inspect.isclass(k) and issubclass(k, torch.distributions.Distribution)]


def drawn(kind):
    positive, unit = torch.tensor([1.5, 2.5]), torch.tensor([0.3, 0.7])
    special = {
        "Wishart": lambda: kind(torch.tensor(3.0), torch.eye(2)), "InverseGamma": lambda: kind(positive, positive),
        "MultivariateNormal": lambda: kind(positive, torch.eye(2)), "LKJCholesky": lambda: kind(3, 1.0),
        "LowRankMultivariateNormal": lambda: kind(positive, torch.ones(2, 1), positive),
        "MixtureSameFamily": lambda: kind(
            torch.distributions.Categorical(unit), torch.distributions.Normal(positive, positive)),
        "Independent": lambda: kind(torch.distributions.Normal(positive, positive), 1),
        "TransformedDistribution": lambda: kind(
            torch.distributions.Normal(positive, positive), torch.distributions.ExpTransform()),
        "Uniform": lambda: kind(torch.zeros(2), positive), "LogisticNormal": lambda: kind(positive, positive),
        "RelaxedBernoulli": lambda: kind(positive[0], unit), "RelaxedOneHotCategorical": lambda: kind(positive[0], unit),
        "Binomial": lambda: kind(4, unit), "Multinomial": lambda: kind(4, unit), "NegativeBinomial": lambda: kind(4, unit),
        "GeneralizedPareto": lambda: kind(positive, positive, unit), "Dirichlet": lambda: kind(positive),
        "VonMises": lambda: kind(positive, positive), "StudentT": lambda: kind(positive),
    }  # fmt: skip

    def call():
        if kind.__name__ in ("Distribution", "ExponentialFamily"):
            return
        if kind.__name__ in special:
            made = special[kind.__name__]()
        else:
            needs = [p for p in inspect.signature(kind).parameters.values() if p.default is p.empty]
            named = {p.name for p in inspect.signature(kind).parameters.values()}
            made = kind(unit) if named & {"probs"} else kind(*[positive] * len(needs))
        made.log_prob(made.sample())

    return call


def transforms(x, y):
    weights = torch.zeros(x.shape[1])

    def loss(w, rows, goal):
        return F.binary_cross_entropy_with_logits(rows @ w, goal)

    goal = y.float()
    return {
        "func.grad": lambda: torch.func.grad(loss)(weights, x, goal),
        "func.vmap": lambda: torch.func.vmap(torch.func.grad(loss), (None, 0, 0))(weights, x, goal),
        "func.hessian": lambda: torch.func.hessian(loss)(weights, x, goal),
        "func.jacrev": lambda: torch.func.jacrev(lambda w: x @ w)(weights),
        "func.jacfwd": lambda: torch.func.jacfwd(lambda w: x @ w)(weights),
        "func.jvp": lambda: torch.func.jvp(lambda w: x @ w, (weights,), (weights,)),
        "func.vjp": lambda: torch.func.vjp(lambda w: x @ w, weights),
        "func.functional_call": lambda: torch.func.functional_call(
            torch.nn.Linear(x.shape[1], 2), {"weight": torch.zeros(2, x.shape[1])}, x),
        "vmap, random": lambda: torch.vmap(lambda r: r + torch.rand(()), randomness="different")(x),
        "autograd.functional.hessian": lambda: torch.autograd.functional.hessian(lambda w: loss(w, x, goal), weights),
        "autograd.functional.jacobian": lambda: torch.autograd.functional.jacobian(lambda w: x @ w, weights),
        "autograd.functional.hvp": lambda: torch.autograd.functional.hvp(lambda w: loss(w, x, goal), weights, weights),
        "autograd.grad twice": lambda: torch.autograd.grad(
            torch.autograd.grad((v := weights.clone().requires_grad_()).exp().sum(), v, create_graph=True)[0].sum(), v),
        "autograd.Function": lambda: own_function().apply(x.clone().requires_grad_()).sum().backward(),
        "autograd.detect_anomaly": lambda: anomaly(x),
        "utils.checkpoint": lambda: importlib.import_module("torch.utils.checkpoint").checkpoint(
            torch.sin, x.clone().requires_grad_(), use_reentrant=False).sum().backward(),
        "fft.fft": lambda: torch.fft.ifft(torch.fft.fft(x)), "fft.rfft2": lambda: torch.fft.irfft2(torch.fft.rfft2(x)),
        "fft.fftn": lambda: torch.fft.fftn(x), "stft": lambda: torch.stft(x[:, 0], 16, return_complex=True),
        "special.i0": lambda: torch.special.i0(x), "special.erfinv": lambda: torch.special.erfinv(x.clamp(-0.9, 0.9)),
        "special.polygamma": lambda: torch.special.polygamma(1, x.abs() + 1), "special.zeta": lambda: torch.special.zeta(
            x.abs() + 2, x.abs() + 1),
        "sparse.mm": lambda: torch.sparse.mm(x.to_sparse(), x.T.contiguous()), "sparse csr": lambda: x.to_sparse_csr() @ x.T,
        "einsum": lambda: torch.einsum("ij,kj->ik", x, x), "kthvalue": lambda: x.kthvalue(2), "sort": lambda: x.sort(0),
        "multinomial": lambda: torch.multinomial(x.softmax(1), 2), "quantile": lambda: x.quantile(0.3, 0),
        "autocast": lambda: cast(x), "bfloat16": lambda: x.bfloat16() @ x.bfloat16().T, "half": lambda: x.half() @ x.half().T,
        "unique": lambda: y.unique(return_counts=True), "histc": lambda: x.histc(9), "bincount": lambda: y.bincount(),
        "deterministic": lambda: settle(x), "quantize": lambda: torch.quantize_per_tensor(x, 0.1, 0, torch.qint8),
        "quantized.dynamic": lambda: torch.ao.quantization.quantize_dynamic(torch.nn.Sequential(torch.nn.Linear(16, 2)))(x),
        "nested": lambda: torch.nested.nested_tensor([x[:2], x[:3]]), "masked": lambda: torch.masked.mean(x, 0, mask=x > 0),
        "profiler": lambda: profiled(x), "set_num_threads": lambda: threads(x), "to_dense": lambda:
            x.to_sparse().to_dense(), "default_collate": lambda: torch.utils.data.default_collate([(x[0], 1), (x[1], 0)]),
        "save to memory": lambda: saved(x), "numpy": lambda: torch.from_numpy(x.numpy()), "tensordot": lambda:
            torch.tensordot(x, x, ([1], [1])), "print": lambda: str(x),
            "summary of a module": lambda: repr(torch.nn.Linear(2, 2)), "show": torch.__config__.show,
        "parallel_info": torch.__config__.parallel_info,
    }  # fmt: skip


def own_function():
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(context, given):
            return 2 * given

        @staticmethod
        def backward(context, slope):
            return 2 * slope

    return Double


def anomaly(x):
    with torch.autograd.detect_anomaly(check_nan=True):
        x.clone().requires_grad_().exp().sum().backward()


def cast(x):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.nn.Linear(x.shape[1], 2)(x).sum().backward()


def settle(x):
    torch.use_deterministic_algorithms(True)
    try:
        torch.zeros(4).index_add_(0, torch.tensor([0, 1, 1]), x[:3, 0])
    finally:
        torch.use_deterministic_algorithms(False)


def profiled(x):
    with torch.profiler.profile() as profile:
        x @ x.T
    profile.key_averages().table()


def threads(x):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.randn(1000, 1000) @ torch.randn(1000, 1000)
    torch.set_num_threads(before)


def saved(x):
    import io

    held = io.BytesIO()
    torch.save(x, held)
    held.seek(0)
    torch.load(held)


def scripted_step(x: torch.Tensor, n: int) -> torch.Tensor:
    total = torch.zeros_like(x)
    for i in range(n):
        total = total * 0.5 if i % 2 else total + x
    return total


class Scripted(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(16, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x).softmax(1)


def compiled(x):
    return {
        "jit.script of a function": lambda: [torch.jit.script(scripted_step)(x, 3) for _ in range(3)],
        "jit.script of a module": lambda: [torch.jit.script(Scripted())(x) for _ in range(3)],
        "jit.trace": lambda: torch.jit.trace(Scripted(), x)(x),
        "jit.freeze": lambda: torch.jit.freeze(torch.jit.script(Scripted().eval()))(x),
        "jit.fork": lambda: torch.jit.wait(torch.jit.fork(scripted_step, x, 3)),
        "jit.optimize_for_inference": lambda: torch.jit.optimize_for_inference(torch.jit.script(Scripted().eval()))(x),
        "compile": lambda: torch.compile(Scripted())(x),
        "compile, a decorator": lambda: torch.compile(scripted_step)(x, 3),
        "fx.symbolic_trace": lambda: torch.fx.symbolic_trace(Scripted())(x),
        "fx.make_fx": lambda: importlib.import_module("torch.fx.experimental.proxy_tensor").make_fx(torch.sin)(x),
        "inspect.getsource": lambda: inspect.getsource(scripted_step),
        "inspect.getsource of a class": lambda: inspect.getsource(Scripted),
    }


def data(x, y):
    whole = torch.utils.data.TensorDataset(x, y)
    loader = torch.utils.data.DataLoader

    return {
        "DataLoader": lambda: list(loader(whole, 16, shuffle=True)),
        "DataLoader with workers": lambda: list(loader(whole, 16, num_workers=2)),
        "DataLoader with all that workers take": lambda: list(loader(
            whole, 16, True, num_workers=2, prefetch_factor=4, persistent_workers=True, timeout=5, worker_init_fn=print,
            multiprocessing_context="spawn", generator=torch.Generator().manual_seed(0))),
        "DataLoader with a sampler": lambda: list(
            loader(whole, 16, sampler=torch.utils.data.WeightedRandomSampler(torch.ones(len(x)), 32))),
        "random_split": lambda: torch.utils.data.random_split(whole, [len(x) - 10, 10]),
        "Subset": lambda: list(loader(torch.utils.data.Subset(whole, [1, 2, 3]))),
        "torch.multiprocessing.Pool": lambda: importlib.import_module("torch.multiprocessing").Pool(2).map(abs, [-1, 1]),
    }  # fmt: skip


def modules():
    parts = ("nn", "optim", "utils.data", "func", "linalg", "fft", "special", "distributions", "autograd", "jit", "sparse",
             "ao.quantization", "nn.utils", "masked", "nested", "fx", "amp", "random", "signal", "signal.windows")  # fmt: skip
    for part in parts:
        name = f"torch.{part}"
        yield name
        package = importlib.import_module(name)
        for found in pkgutil.iter_modules(getattr(package, "__path__", [])):
            if not found.name.startswith("_"):
                yield f"{name}.{found.name}"


def imported(name):
    return lambda: importlib.import_module(name)
