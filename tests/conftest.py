"""Options and fixtures of the suite; what this machine lacks is named in the last line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("ours", deadline=None)  # a busy machine is no fault of a test
settings.load_profile("ours")
os.environ.setdefault("OMP_NUM_THREADS", "1")
LONGEST = (
    "test_end_to_end",
    "test_hacks",
    "test_interruptions",
    "test_belief",
)  # begun first


THOROUGH = ("end_to_end", "security")  # folders whose tests are no part of the quick suite, but for those marked `quick`


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run every test, not the quick suite alone (make test-all)")
    parser.addoption("--runslow", action="store_true", help="run the slow tests too")
    parser.addoption("--rungpu", action="store_true", help="run the tests that need a CUDA device")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if (
        not config.getoption("--all") and config.args_source is not pytest.Config.ArgsSource.ARGS
    ):  # files that are named run whole
        chosen = [item for item in items if is_quick(item)]
        config.hook.pytest_deselected(items=[item for item in items if not is_quick(item)])
        items[:] = chosen
    items.sort(key=lambda item: not item.path.name.startswith(LONGEST))
    for name, option in (("slow", "--runslow"), ("gpu", "--rungpu")):
        if not config.getoption(option):
            for item in items:
                if name in item.keywords:
                    item.add_marker(pytest.mark.skip(reason=f"needs {option}"))


def is_quick(item: pytest.Item) -> bool:
    """Tell whether a test belongs to the quick suite."""
    thorough = item.path.relative_to(item.config.rootpath / "tests").parts[0] in THOROUGH or "thorough" in item.keywords
    return "quick" in item.keywords or not thorough


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.stats.get("passed", []):
        for line in [value for name, value in report.user_properties if name == "measured"]:
            terminalreporter.write_line(f"measured: {line}")
    reasons = {str(r.longrepr[2]).removeprefix("Skipped: ") for r in terminalreporter.stats.get("skipped", []) if r.longrepr}
    if reasons:
        terminalreporter.write_line(f"not run here: {'; '.join(sorted(reasons))}")


@pytest.fixture(scope="module")
def _module_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each file of tests has a vault of its own: some damage theirs on purpose."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _own_home(_module_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the user's own vault or keys."""
    monkeypatch.setenv("EVOLVE_HOME", str(_module_home))
    for name in list(os.environ):
        if name.endswith("_API_KEY"):
            monkeypatch.delenv(name)


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Say what was measured, in a line that the suite's summary repeats."""

    def say(line: str) -> None:
        print(line)
        record_property("measured", line)

    return say


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _no_gate_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of one test may get the port, and so the address, at which an earlier test's server asked to be left alone."""
    monkeypatch.setattr("evolve.models.retry._gates", {})
