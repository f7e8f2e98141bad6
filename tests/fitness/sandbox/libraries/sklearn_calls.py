"""What a method may call of sklearn: every public estimator, and what chooses among them."""

import importlib

import numpy as np
from sklearn import metrics, model_selection
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils.parallel import Parallel, delayed

POSITIVE = (
    "CategoricalNB",
    "ComplementNB",
    "MultinomialNB",
    "NMF",
    "MiniBatchNMF",
    "LatentDirichletAllocation",
    "AdditiveChi2Sampler",
)
POSITIVE += ("SkewedChi2Sampler", "GammaRegressor", "PoissonRegressor")
TEXTS = ("CountVectorizer", "TfidfVectorizer", "HashingVectorizer")
RECORDS = ("DictVectorizer", "FeatureHasher")
LABELS = ("LabelBinarizer", "LabelEncoder", "MultiLabelBinarizer")
SEVERAL = ("MultiTaskElasticNet", "MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV", "CCA", "PLSCanonical",
        "PLSSVD",
           "MultiOutputClassifier", "MultiOutputRegressor", "ClassifierChain", "RegressorChain")  # fmt: skip
FAST = {"DictionaryLearning": {"max_iter": 2, "n_components": 2}, "MiniBatchDictionaryLearning": {"max_iter": 2,
        "n_components": 2},
        "MDS": {"max_iter": 5}, "SparsePCA": {"max_iter": 5, "n_components": 2}, "TSNE": {"max_iter": 250},
        "BernoulliRBM": {"n_iter": 2},
        "MiniBatchSparsePCA": {"max_iter": 5, "n_components": 2}, "GaussianRandomProjection": {"n_components": 2},
        "SparseRandomProjection": {"n_components": 2}, "PatchExtractor": {"patch_size": (2, 2)},
        "SequentialFeatureSelector": {"n_features_to_select": 2, "cv": 2}}  # fmt: skip


def calls(x, y):
    """Return what to call, by name; x is (n, d) and y (n,), anything that numpy takes."""
    x, y = np.asarray(x, float), np.asarray(y)
    return {**{name: fitted(name, module, x, y) for name, module in ESTIMATORS}, **others(x, y)}  # noqa: F821


def made(name, kind):
    """Return an estimator with what it cannot do without."""
    two = [("one", LogisticRegression()), ("two", LogisticRegression(C=0.1))]
    needs = {
        "ColumnTransformer": ([("same", "passthrough", [0])],), "FeatureUnion": ([("same", "passthrough")],),
        "GridSearchCV": (LogisticRegression(), {"C": [0.1, 1]}), "RandomizedSearchCV": (LogisticRegression(), {"C": [0.1,
        1]}, ),
        "Pipeline": ([("one", LogisticRegression())],), "SparseCoder": (np.eye(3, DIMENSIONS),),
        "StackingClassifier": (two,), "VotingClassifier": (two,), "SelfTrainingClassifier": (LogisticRegression(),),
        "StackingRegressor": ([("one", Ridge())],), "VotingRegressor": ([("one", Ridge())],),
        "FrozenEstimator": (LogisticRegression().fit(np.eye(2, DIMENSIONS), [0, 1]),),
        **dict.fromkeys(("MultiOutputRegressor", "RegressorChain"), (Ridge(),)),
        **dict.fromkeys(("ClassifierChain", "FixedThresholdClassifier", "MultiOutputClassifier", "OneVsOneClassifier",
        "RFE", "RFECV",
                         "OneVsRestClassifier", "OutputCodeClassifier", "SelectFromModel", "SequentialFeatureSelector",
                         "TunedThresholdClassifierCV"), (LogisticRegression(),)),
    }  # fmt: skip
    more = {"n_iter": 2} if name == "RandomizedSearchCV" else FAST.get(name, {})
    return kind(*needs.get(name, ()), **more)


DIMENSIONS = 16


def fitted(name, module, x, y):
    def call():
        estimator = made(name, getattr(importlib.import_module(module), name))
        rows, goal = np.abs(x) if name in POSITIVE else x, y + 1 if name in POSITIVE else y
        if name in TEXTS:
            rows = ["one word", "two words more"]
        elif name in RECORDS:
            rows = [{"one": 1.0}, {"two": 2.0}]
        elif name == "IsotonicRegression":
            rows = x[:, 0]
        elif name == "KernelCenterer":
            rows = x @ x.T
        elif name == "PatchExtractor":
            rows = x[:8].reshape(2, 8, 8)
        elif name in SEVERAL:
            goal = np.stack([y, 1 - y], 1)
        if name in LABELS:
            estimator.fit_transform([[0, 1], [1]] if name == "MultiLabelBinarizer" else y)
            return
        estimator.fit(rows, goal)
        for action in ("predict", "predict_proba", "transform"):
            if hasattr(estimator, action):
                getattr(estimator, action)(rows)

    return call


def others(x, y):
    folds = model_selection.StratifiedKFold(3, shuffle=True, random_state=0)
    return {
        "cross_val_predict": lambda: model_selection.cross_val_predict(LogisticRegression(), x, y, cv=folds, n_jobs=2),
        "cross_val_score": lambda: model_selection.cross_val_score(LogisticRegression(), x, y, cv=folds, n_jobs=-1),
        "train_test_split": lambda: model_selection.train_test_split(x, y, random_state=0, stratify=y),
        "learning_curve": lambda: model_selection.learning_curve(LogisticRegression(), x, y, cv=folds),
        "permutation_importance": lambda: importlib.import_module("sklearn.inspection").permutation_importance(
            LogisticRegression().fit(x, y), x, y, n_jobs=2, random_state=0),
        "partial_dependence": lambda: importlib.import_module("sklearn.inspection").partial_dependence(
            LogisticRegression().fit(x, y), x, [0]),
        "metrics": lambda: [metrics.roc_auc_score(y, x[:, 0]), metrics.silhouette_score(x, y), metrics.accuracy_score(y, y),
                            metrics.log_loss(y, np.full(len(y), 0.5)), metrics.adjusted_rand_score(y, y)],
        "pairwise_distances": lambda: metrics.pairwise_distances(x, n_jobs=2), "pairwise_kernels": lambda:
            metrics.pairwise_kernels(x, metric="rbf", n_jobs=2),
        "Parallel": lambda: Parallel(n_jobs=2)(delayed(abs)(i) for i in range(4)),
        "Parallel, threads": lambda: Parallel(n_jobs=2, backend="threading")(delayed(abs)(i) for i in range(4)),
        "Parallel, loky": lambda: Parallel(n_jobs=2, backend="loky")(delayed(abs)(i) for i in range(4)),
        "Parallel, multiprocessing": lambda: Parallel(n_jobs=2, backend="multiprocessing")(delayed(abs)(i) for i in range(4)),
        "set_output": lambda: importlib.import_module("sklearn.preprocessing").StandardScaler().set_output(
            transform="default").fit_transform(x),
        "randomized_svd": lambda: importlib.import_module("sklearn.utils.extmath").randomized_svd(x, 2, random_state=0),
        "k_means": lambda: importlib.import_module("sklearn.cluster").k_means(x, 2, random_state=0),
        "label_spreading on neighbours": lambda: importlib.import_module("sklearn.semi_supervised").LabelSpreading(
            "knn", n_jobs=2).fit(x, y), "print": lambda: repr(LogisticRegression()),
        "html": lambda: LogisticRegression()._repr_html_(), "config_context": lambda: configured(x, y),
    }  # fmt: skip


def configured(x, y):
    sklearn = importlib.import_module("sklearn")
    with sklearn.config_context(assume_finite=True, working_memory=64):
        LogisticRegression().fit(x, y)
