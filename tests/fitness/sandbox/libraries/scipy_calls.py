"""What a method may call of scipy and numpy: solvers, decompositions, statistics, clustering, graphs, signals, quadrature."""

import importlib
import inspect

import numpy as np
import scipy
from scipy import cluster, fft, integrate, interpolate, linalg, ndimage, optimize, signal, sparse, spatial, special, stats

MINIMISERS = (
    *("Nelder-Mead", "Powell", "CG", "BFGS", "Newton-CG", "L-BFGS-B", "TNC", "COBYLA", "COBYQA", "SLSQP", "trust-constr"),
    *("dogleg", "trust-ncg", "trust-exact", "trust-krylov"),
)
ROOTS = ("hybr", "lm", "broyden1", "broyden2", "anderson", "linearmixing", "diagbroyden", "excitingmixing", "krylov", "df-sane")


def calls(x, y):
    """Return what to call, by name; x is (n, d) and y (n,), anything that numpy takes."""
    x, y = np.asarray(x, float), np.asarray(y)
    spd = x.T @ x + np.eye(x.shape[1])
    return {
        **optimisation(x, y, spd), **algebra(x, spd), **sparse_algebra(x, spd), **statistics(x, y),
        **grouping(x), **signals(x), **the_rest(x), **numbers(x, spd), **modules(),
    }  # fmt: skip


def optimisation(x, y, spd):
    start = np.full(3, 0.5)
    bounds = [(-2, 2)] * 3

    def slope(w):
        return optimize.rosen_der(w)

    def minimised(method):
        more = {"jac": slope} if method not in ("Nelder-Mead", "Powell", "COBYLA", "COBYQA") else {}
        more |= {"hess": optimize.rosen_hess} if method.startswith(("dogleg", "trust")) else {}
        return lambda: optimize.minimize(optimize.rosen, start if method != "dogleg" else np.ones(3), method=method, **more)

    cost = np.arange(9.0).reshape(3, 3)
    return {
        **{f"minimize {method}": minimised(method) for method in MINIMISERS},
        **{f"root {method}": lambda m=method: optimize.root(lambda w: 0.2 - w - 0.1 * np.sin(w), start, method=m)
           for method in ROOTS},
        **{f"least_squares {method}": lambda m=method: optimize.least_squares(lambda w: x[:, :3] @ w - y, start, method=m)
           for method in ("trf", "dogbox", "lm")},
        **{f"linprog {method}": lambda m=method: optimize.linprog([1, 2], A_ub=[[-1, -1]], b_ub=[-1], method=m)
           for method in ("highs", "highs-ds", "highs-ipm")},
        **{f"minimize_scalar {method}": lambda m=method: optimize.minimize_scalar(
            lambda t: (t - 1) ** 2, bounds=(0, 3) if m == "bounded" else None, method=m)
           for method in ("brent", "golden", "bounded")},
        **{f"root_scalar {method}": lambda m=method: optimize.root_scalar(
            lambda t: t**3 - 1, bracket=(0, 3), x0=0.5, x1=2, fprime=lambda t: 3 * t**2, fprime2=lambda t: 6 * t, method=m)
           for method in ("bisect", "brentq", "brenth", "ridder", "toms748", "newton", "secant", "halley")},
        "milp": lambda: optimize.milp([1, 1], integrality=[1, 1], bounds=optimize.Bounds(0, 3)),
        "differential_evolution": lambda: optimize.differential_evolution(optimize.rosen, bounds, maxiter=3, rng=0),
        "differential_evolution, workers": lambda: optimize.differential_evolution(
            optimize.rosen, bounds, maxiter=3, rng=0, workers=2, updating="deferred"),
        "differential_evolution, all workers": lambda: optimize.differential_evolution(
            optimize.rosen, bounds, maxiter=3, rng=0, workers=-1, updating="deferred"),
        "dual_annealing": lambda: optimize.dual_annealing(optimize.rosen, bounds, maxiter=3, rng=0),
        "shgo": lambda: optimize.shgo(optimize.rosen, bounds, iters=1), "direct": lambda: optimize.direct(
            optimize.rosen, bounds, maxiter=3),
        "shgo, workers": lambda: optimize.shgo(optimize.rosen, bounds, iters=1, workers=2),
        "basinhopping": lambda: optimize.basinhopping(optimize.rosen, start, niter=2, rng=0),
        "brute": lambda: optimize.brute(optimize.rosen, bounds, Ns=3),
        "brute, workers": lambda: optimize.brute(optimize.rosen, bounds, Ns=3, workers=2),
        "curve_fit": lambda: optimize.curve_fit(lambda t, a, b: a * t + b, x[:, 0], x[:, 1]),
        "linear_sum_assignment": lambda: optimize.linear_sum_assignment(cost),
        "quadratic_assignment": lambda: optimize.quadratic_assignment(cost, cost),
        "nnls": lambda: optimize.nnls(np.abs(x), np.abs(x[:, 0])), "lsq_linear": lambda: optimize.lsq_linear(x, x[:, 0]),
        "isotonic_regression": lambda: optimize.isotonic_regression(x[:, 0]),
        "fsolve": lambda: optimize.fsolve(lambda w: w**2 - 1, start), "approx_fprime": lambda: optimize.approx_fprime(
            start, optimize.rosen),
        "fixed_point": lambda: optimize.fixed_point(np.cos, 0.5), "line_search": lambda: optimize.line_search(
            optimize.rosen, slope, start, -slope(start)),
    }  # fmt: skip


def algebra(x, spd):
    one = ("cho_factor", "cholesky", "det", "eig", "eigh", "eigvals", "eigvalsh", "expm", "hessenberg", "inv", "ldl",
            "logm", "lu",
           "lu_factor", "null_space", "orth", "pinv", "pinvh", "polar", "qr", "rq", "schur", "sqrtm", "svd", "svdvals", "sinm",
           "cosm", "tanm", "signm", "norm", "bandwidth", "issymmetric")  # fmt: skip
    two = ("solve", "lstsq", "subspace_angles", "solve_sylvester", "orthogonal_procrustes", "qz", "ordqz", "kron")
    return {
        **{f"linalg.{name}": lambda n=name: getattr(linalg, n)(spd) for name in one},
        **{f"linalg.{name}": lambda n=name: getattr(linalg, n)(spd, spd, *([spd] if n == "solve_sylvester" else []))
           for name in two if hasattr(linalg, name)},
        "linalg.toeplitz": lambda: linalg.solve_toeplitz(np.arange(1.0, 5), np.ones(4)),
        "linalg.solve_triangular": lambda: linalg.solve_triangular(np.triu(spd), x[0]),
        "linalg.solve_continuous_are": lambda: linalg.solve_continuous_are(spd, spd, spd, spd),
        "linalg.interpolative": lambda: importlib.import_module("scipy.linalg.interpolative").svd(x, 3, rng=0),
        "linalg.large": lambda: linalg.eigh(np.cov(np.random.default_rng(0).normal(size=(400, 400)))),
        "linalg.blas": lambda: linalg.blas.dgemm(1.0, spd, spd), "linalg.lapack": lambda: linalg.lapack.dpotrf(spd),
    }  # fmt: skip


def sparse_algebra(x, spd):
    a, b = sparse.csc_array(spd), np.ones(len(spd))
    solvers = (
        "bicg",
        "bicgstab",
        "cg",
        "cgs",
        "gmres",
        "lgmres",
        "minres",
        "qmr",
        "gcrotmk",
        "tfqmr",
        "spsolve",
        "lsmr",
        "lsqr",
    )
    graph = sparse.csr_array(np.abs(x[:20, :20]) if x.shape[1] >= 20 else np.abs(spd))
    walks = ("dijkstra", "bellman_ford", "johnson", "floyd_warshall", "connected_components", "minimum_spanning_tree",
            "laplacian",
             "shortest_path", "reverse_cuthill_mckee", "maximum_bipartite_matching", "structural_rank")  # fmt: skip
    return {
        **{f"sparse.linalg.{name}": lambda n=name: getattr(sparse.linalg, n)(a, b) for name in solvers},
        "sparse.linalg.eigs": lambda: sparse.linalg.eigs(a, 2), "sparse.linalg.splu": lambda: sparse.linalg.splu(a).solve(b),
        "sparse.linalg.eigsh": lambda: sparse.linalg.eigsh(a, 2), "sparse.linalg.spilu": lambda: sparse.linalg.spilu(a),
        **{f"sparse.linalg.svds {s}": lambda s=s: sparse.linalg.svds(a, 2, solver=s) for s in ("arpack", "lobpcg", "propack")},
        "sparse.linalg.lobpcg": lambda: sparse.linalg.lobpcg(a, x[: len(spd), :2]),
        "sparse.linalg.expm": lambda: sparse.linalg.expm(a), "sparse.linalg.onenormest": lambda: sparse.linalg.onenormest(a),
        **{f"sparse.csgraph.{name}": lambda n=name: getattr(sparse.csgraph, n)(graph) for name in walks},
        "sparse formats": lambda: [sparse.coo_array(spd).asformat(f) for f in ("bsr", "csc", "csr", "dia", "dok", "lil")],
    }  # fmt: skip


def statistics(x, y):
    a, b = x[:, 0], x[:, 1]
    two = (
        "pearsonr",
        "spearmanr",
        "kendalltau",
        "ttest_ind",
        "mannwhitneyu",
        "ks_2samp",
        "wilcoxon",
        "linregress",
        "theilslopes",
        "siegelslopes",
        "somersd",
        "weightedtau",
        "energy_distance",
        "wasserstein_distance",
        "ansari",
        "mood",
        "levene",
        "bartlett",
        "fligner",
        "kruskal",
        "f_oneway",
        "brunnermunzel",
        "epps_singleton_2samp",
        "cramervonmises_2samp",
        "anderson_ksamp",
        "alexandergovern",
        "median_test",
        "bws_test",
        "chatterjeexi",
        "ranksums",
        "page_trend_test",
    )
    one = (
        "skew",
        "kurtosis",
        "normaltest",
        "shapiro",
        "jarque_bera",
        "describe",
        "entropy",
        "differential_entropy",
        "sem",
        "zscore",
        "iqr",
        "mode",
        "rankdata",
        "gmean",
        "median_abs_deviation",
        "moment",
        "kstat",
        "bayes_mvs",
        "cumfreq",
    )
    families = [n for n, k in vars(stats).items() if isinstance(k, stats.rv_continuous)]
    return {
        **{f"stats.{n}": lambda n=n: getattr(stats, n)(*([[a, b]] if n in ("anderson_ksamp", "page_trend_test") else [a, b]))
           for n in two if hasattr(stats, n)},
        **{f"stats.{n}": lambda n=n: getattr(stats, n)(np.abs(a) + 1) for n in one},
        "stats, every family": lambda: [family(getattr(stats, n)) for n in families if n not in ("levy_stable",
        "studentized_range")],
        "stats.fit": lambda: [getattr(stats, n).fit(np.abs(a) + 0.1) for n in ("norm", "gamma", "beta", "t", "expon",
        "lognorm")],
        "stats.gaussian_kde": lambda: stats.gaussian_kde(a)(b), "stats.bootstrap": lambda: stats.bootstrap(
            (a,), np.mean, n_resamples=50, rng=0),
        "stats.permutation_test": lambda: stats.permutation_test((a, b), lambda p, q: p.mean() - q.mean(), n_resamples=50,
        rng=0),
        "stats.qmc": lambda: [k(2, rng=0).random(4) for k in (stats.qmc.Sobol, stats.qmc.Halton, stats.qmc.LatinHypercube)],
        "stats.qmc, workers": lambda: (stats.qmc.Halton(2, rng=0).random(64, workers=2), stats.qmc.discrepancy(
            stats.qmc.Sobol(2, rng=0).random(64), workers=2)),
        "stats.multivariate": lambda: (stats.multivariate_normal(np.zeros(2), np.eye(2)).cdf([0, 0]), stats.wishart(3, np.eye(
            2)).rvs(random_state=0), stats.dirichlet([1, 2]).rvs(random_state=0), stats.ortho_group.rvs(3, random_state=0)),
        "stats.multiscale_graphcorr": lambda: stats.multiscale_graphcorr(x[:20], x[:20], reps=3, random_state=0),
        "stats.multiscale_graphcorr, workers": lambda: stats.multiscale_graphcorr(x[:20], x[:20], reps=3, workers=2,
        random_state=0),
        "stats.binned_statistic": lambda: stats.binned_statistic(a, b), "stats.contingency": lambda: stats.chi2_contingency(
            [[3, 4], [5, 6]]),
        "stats.sampling": lambda: importlib.import_module("scipy.stats.sampling").NumericalInversePolynomial(
            stats.norm(), random_state=0).rvs(5),
        "stats.mstats": lambda: stats.mstats.winsorize(a, (0.1, 0.1)), "stats.power": lambda: stats.false_discovery_control(
            [0.1, 0.2]),
        "stats.make_distribution": lambda: stats.Normal(mu=0.0, sigma=1.0).sample(3),
    }  # fmt: skip


def family(kind):
    frozen = kind(*[1.5] * kind.numargs)
    return frozen.pdf(0.3), frozen.cdf(0.3)


def grouping(x):
    points = x[:, :3]
    linkages = ("single", "complete", "average", "weighted", "centroid", "median", "ward")
    distances = ("euclidean", "cosine", "cityblock", "correlation", "mahalanobis", "jensenshannon", "chebyshev", "canberra")
    tree = spatial.KDTree(points)
    return {
        **{f"cluster.{m}": lambda m=m: cluster.hierarchy.fcluster(cluster.hierarchy.linkage(points, m), 2) for m in linkages},
        "cluster.kmeans2": lambda: cluster.vq.kmeans2(points, 2, rng=0, minit="++"),
        "cluster.kmeans": lambda: cluster.vq.kmeans(
            cluster.vq.whiten(points), 2, rng=0),
        "cluster.dendrogram": lambda: cluster.hierarchy.dendrogram(cluster.hierarchy.linkage(points), no_plot=True),
        **{f"spatial.{m}": lambda m=m: spatial.distance.cdist(np.abs(points), np.abs(points), m) for m in distances},
        "spatial.KDTree": lambda: tree.query(points, 3), "spatial.KDTree, workers": lambda: tree.query(points, 3, workers=2),
        "spatial.KDTree, all workers": lambda: tree.query_ball_point(points, 0.5, workers=-1),
        "spatial.Delaunay": lambda: spatial.Delaunay(points), "spatial.ConvexHull": lambda: spatial.ConvexHull(points),
        "spatial.Voronoi": lambda: spatial.Voronoi(points), "spatial.procrustes": lambda: spatial.procrustes(points, points),
        "spatial.Rotation": lambda: spatial.transform.Rotation.random(3, rng=0).as_matrix(),
        "spatial.HalfspaceIntersection": lambda: spatial.HalfspaceIntersection(
            np.array([[1.0, 0, -1], [-1, 0, -1], [0, 1, -1], [0, -1, -1]]), np.zeros(2)),
    }  # fmt: skip


def signals(x):
    wave = x[:, 0]
    return {
        "signal.butter": lambda: signal.sosfilt(signal.butter(3, 0.2, output="sos"), wave),
        "signal.savgol_filter": lambda: signal.savgol_filter(wave, 7, 2), "signal.welch": lambda: signal.welch(wave),
        "signal.find_peaks": lambda: signal.find_peaks(wave), "signal.fftconvolve": lambda: signal.fftconvolve(wave, wave),
        "signal.hilbert": lambda: signal.hilbert(wave), "signal.stft": lambda: signal.stft(wave, nperseg=16),
        "signal.medfilt": lambda: signal.medfilt(wave, 3), "signal.detrend": lambda: signal.detrend(wave),
        "signal.lfilter": lambda: signal.lfilter([1], [1, 0.5], wave), "signal.resample": lambda: signal.resample(wave, 30),
        "signal.windows": lambda: signal.windows.get_window("hann", 9), "signal.lti": lambda: signal.lti([1], [1, 1]).step(),
        "signal.remez": lambda: signal.remez(9, [0, 0.1, 0.2, 0.5], [1, 0]),
        **{f"fft.{n}": lambda n=n: getattr(fft, n)(x) for n in ("fft", "rfft", "dct", "dst", "fft2", "fftn", "hfft")},
        "fft, workers": lambda: fft.fft(x, workers=2), "fft, all workers": lambda: fft.fft2(x, workers=-1),
        "fft.set_workers": lambda: fft_with_workers(x),
    }  # fmt: skip


def fft_with_workers(x):
    with fft.set_workers(4):
        fft.rfft(x)


def the_rest(x):
    a = np.linspace(0, 1, 20)
    splines = ("CubicSpline", "PchipInterpolator", "Akima1DInterpolator", "make_interp_spline", "interp1d", "UnivariateSpline")
    ufuncs = [n for n, k in vars(special).items() if isinstance(k, np.ufunc)]
    return {
        **{f"interpolate.{n}": lambda n=n: getattr(interpolate, n)(a, a**2) for n in splines},
        "interpolate.RBF": lambda: interpolate.RBFInterpolator(x[:, :2], x[:, 2])(x[:, :2]),
        "interpolate.griddata": lambda: interpolate.griddata(x[:, :2], x[:, 2], x[:5, :2]),
        "interpolate.RegularGrid": lambda: interpolate.RegularGridInterpolator((a, a), np.ones((20, 20)))([[0.5, 0.5]]),
        "interpolate.smoothing": lambda: interpolate.make_smoothing_spline(a, a**2),
        **{f"integrate.{n}": lambda n=n: getattr(integrate, n)(np.cos, 0, 1) for n in ("quad", "fixed_quad", "quad_vec")},
        "integrate.quad_vec, workers": lambda: integrate.quad_vec(np.cos, 0, 1, workers=2),
        "integrate.nquad": lambda: integrate.nquad(lambda p, q: p * q, [(0, 1), (0, 1)]),
        **{f"integrate.{m}": lambda m=m: integrate.solve_ivp(lambda t, w: -w, (0, 1), [1.0], method=m)
           for m in ("RK45", "RK23", "DOP853", "Radau", "BDF", "LSODA")},
        "integrate.solve_bvp": lambda: integrate.solve_bvp(
            lambda t, w: np.vstack([w[1], -w[0]]), lambda p, q: np.array([p[0], q[0] - 1]), a, np.zeros((2, 20))),
        "integrate.odeint": lambda: integrate.odeint(lambda w, t: -w, [1.0], a),
        "integrate.simpson": lambda: integrate.simpson(a),
        "special, every function": lambda: [tried(getattr(special, n)) for n in ufuncs], "special.logsumexp": lambda:
            special.logsumexp(x), "special.softmax": lambda: special.softmax(x),
            "special.roots": lambda: special.roots_legendre(5),
        "ndimage.gaussian_filter": lambda: ndimage.gaussian_filter(x, 1), "ndimage.label": lambda: ndimage.label(x > 0),
        "ndimage.generic_filter": lambda: ndimage.generic_filter(x[:9, :9], np.mean, 3), "ndimage.zoom": lambda: ndimage.zoom(
            x, 0.5), "differentiate": lambda: importlib.import_module("scipy.differentiate").derivative(np.exp, 0.5),
        "constants": lambda: importlib.import_module("scipy.constants").c,
    }  # fmt: skip


def tried(ufunc):
    if ufunc.types and ufunc.nin <= 4 and "d" * ufunc.nin in [t.split("->")[0] for t in ufunc.types]:
        ufunc(*[0.5] * ufunc.nin)


def numbers(x, spd):
    names = ("cholesky", "cond", "det", "eig", "eigh", "inv", "matrix_rank", "norm", "pinv", "qr", "slogdet", "svd")
    return {
        **{f"numpy.linalg.{n}": lambda n=n: getattr(np.linalg, n)(spd) for n in names},
        "numpy.lstsq": lambda: np.linalg.lstsq(x, x[:, 0]), "numpy.fft": lambda: np.fft.fft2(x),
        "numpy.polyfit": lambda: np.polyfit(
            x[:, 0], x[:, 1], 2), "numpy.einsum": lambda: np.einsum("ij,kj->ik", x, x, optimize=True),
        **{f"numpy.random.{n}": lambda n=n: np.random.Generator(getattr(np.random, n)(1)).normal(size=3)
           for n in ("PCG64", "MT19937", "Philox", "SFC64", "PCG64DXSM")},
        "numpy.random, unseeded": lambda: np.random.default_rng().random(), "numpy.vectorize": lambda: np.vectorize(abs)(x),
        "numpy.histogramdd": lambda: np.histogramdd(x[:, :2]), "numpy.ma": lambda: np.ma.masked_less(x, 0).mean(),
        "numpy.polynomial": lambda: np.polynomial.Chebyshev.fit(x[:, 0], x[:, 1], 3), "numpy.print": lambda: repr(x),
        "numpy.show_config": lambda: np.show_config("dicts"), "numpy.apply_along_axis": lambda: np.apply_along_axis(np.sort,
        0, x),
        "numpy.large product": lambda: np.ones((800, 800)) @ np.ones((800, 800)),
    }  # fmt: skip


def modules():
    parts = [n for n in scipy.__all__ if inspect.ismodule(getattr(scipy, n)) and n != "datasets"]
    return {f"import scipy.{n}": lambda n=n: importlib.import_module(f"scipy.{n}") for n in parts}
