"""The retry loop, on a clock that only moves when someone sleeps."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from evolve.errors import ModelError
from evolve.models.retry import Clock, Gate, Passing, Patience, Retrier, gate_of


class Hands:
    """A clock whose hands are moved by sleeping; remembers every sleep."""

    def __init__(self) -> None:
        self.moment, self.slept, self._lock = 0.0, [], threading.Lock()
        self.clock = Clock(now=lambda: self.moment, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.moment += seconds


@pytest.fixture
def hands() -> Hands:
    return Hands()


def retrier(hands: Hands, *, gate: Gate | None = None, seed: int = 0, **patience: float) -> Retrier:
    return Retrier("http://x/v1", Patience(**patience), random.Random(seed), hands.clock, gate or Gate())


def failing(*failures: Exception):
    """Return an attempt that raises these in turn, then answers."""
    left = list(failures)

    def attempt() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return attempt


def test_failure_that_passes_is_tried_again(hands):
    assert retrier(hands).call(failing(Passing("busy"), Passing("busy"))) == "answer"
    assert len(hands.slept) == 2


def test_pauses_are_drawn_from_the_whole_range_below_a_doubling_edge(hands):
    for seed in range(200):
        with pytest.raises(ModelError):
            retrier(hands, seed=seed, attempts=5, first=1.0, longest=3.0).call(failing(*[Passing("down")] * 5))
    by_attempt = [hands.slept[i::4] for i in range(4)]
    for pauses, edge in zip(by_attempt, (1.0, 2.0, 3.0, 3.0)):
        assert max(pauses) <= edge
        assert min(pauses) < 0.1 * edge
        assert max(pauses) > 0.9 * edge


def test_same_generator_gives_the_same_pauses():
    slept = []
    for _ in range(2):
        hands = Hands()
        retrier(hands, seed=3).call(failing(*[Passing("down")] * 4))
        slept.append(hands.slept)
    assert slept[0] == slept[1]


def test_last_failure_is_the_sentence_and_no_sleep_follows_it(hands):
    with pytest.raises(ModelError, match=r"^the cable is cut \(tried 3 times\)$"):
        retrier(hands, attempts=3).call(failing(*[Passing("the cable is cut")] * 3))
    assert len(hands.slept) == 2


def test_failure_that_stays_is_not_tried_again(hands):
    with pytest.raises(ModelError, match="wrong key"):
        retrier(hands).call(failing(ModelError("wrong key")))
    assert hands.slept == []


@pytest.mark.parametrize("asked", [0.0, 7.0, 120.0])
def test_retry_after_is_waited_for_in_full(hands, asked):
    retrier(hands).call(failing(Passing("busy", busy=True, retry_after=asked)))
    assert hands.moment >= asked


def test_retry_after_beyond_the_ceiling_fails_at_once_and_for_everyone(hands):
    gate, calls = Gate(), []

    def attempt() -> str:
        calls.append(hands.moment)
        raise Passing("busy", busy=True, retry_after=3600)

    for _ in range(2):
        with pytest.raises(ModelError, match=r"asks not to be called for another 3600 s, longer than the 300 s"):
            retrier(hands, gate=gate).call(attempt)
    assert len(calls) == 1
    assert hands.slept == []


def test_one_busy_answer_holds_every_thread_back(hands):
    gate, lock, calls = Gate(), threading.Lock(), []
    gate.close_until(60.0)

    def attempt() -> float:
        with lock:
            calls.append(hands.moment)
        return hands.moment

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda seed: retrier(hands, gate=gate, seed=seed).call(attempt), range(16)))
    assert len(calls) == 16
    assert min(calls) >= 60.0


def test_gate_never_opens_earlier_than_someone_asked():
    gate = Gate()
    gate.close_until(10.0)
    gate.close_until(5.0)
    assert gate.wait(4.0) == 6.0
    assert gate.wait(11.0) == 0.0


def test_an_endpoint_has_one_gate():
    assert gate_of("http://a/v1") is gate_of("http://a/v1")
    assert gate_of("http://a/v1") is not gate_of("http://b/v1")


@pytest.mark.parametrize("told", [None, 0.0, 0.006, 1.0, 5.0])
def test_a_word_on_how_long_that_does_not_help_is_no_reason_for_less_patience(told, hands):
    for seed in range(50):
        began = hands.moment
        with pytest.raises(ModelError):
            retrier(hands, seed=seed).call(failing(*[Passing("busy", busy=True, retry_after=told)] * 6))
        waited = hands.moment - began
        assert waited > 60.0, "a limit by the minute is outlasted"


def test_a_short_wait_is_believed_once(hands):
    retrier(hands).call(failing(Passing("busy", busy=True, retry_after=0.5)))
    assert hands.moment < 2.5


@pytest.mark.parametrize("busy", [True, False])
def test_stopped_run_waits_no_longer(busy):
    stop, calls = threading.Event(), []
    stop.set()

    def attempt() -> str:
        calls.append(1)
        raise Passing("busy", busy=busy)

    with pytest.raises(ModelError, match="stopped while waiting for http://x/v1"):
        Retrier("http://x/v1", Patience(), random.Random(0), Clock(sleep=stop.wait), Gate()).call(attempt)
    assert len(calls) == 1


def test_no_attempts_at_all_is_refused():
    with pytest.raises(ValueError, match="attempts must be at least 1, got 0"):
        Patience(attempts=0)
