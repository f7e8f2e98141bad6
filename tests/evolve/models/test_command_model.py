"""The command provider with real programs: what it answers, what it cannot see, and what each failure becomes."""

import os
import shlex
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archives.nouns import Usage
from evolve import models
from evolve.errors import ModelError, UsageError
from evolve.models import Settings, isolation
from evolve.models.answers import LONGEST
from evolve.models.retry import Clock
from evolve.nouns import UnusableAnswer

walled = pytest.mark.skipif(not isolation.works(), reason="needs bubblewrap")


def command(source: str, **settings):
    return models.load(f"command:{shlex.join([sys.executable, '-I', '-c', source])}", settings=Settings(**settings))


def answer(source: str, **settings) -> str:
    return command(source, **settings).ask("system", "prompt").text


@pytest.fixture(params=["walled", "unwalled"])
def either(request, monkeypatch):
    """Run with bubblewrap, and without it."""
    if request.param == "walled" and not isolation.works():
        pytest.skip("needs bubblewrap")
    monkeypatch.setattr(isolation, "works", lambda: request.param == "walled")


def test_it_reads_the_prompt_and_answers(either):
    model = command("import sys; print(sys.stdin.read().upper(), end='')")
    reply = model.ask("be brief", "häufig")
    assert reply.text == "BE BRIEF\n\nHÄUFIG"
    assert (reply.usage.model, reply.usage.calls, reply.usage.usd) == (model.name, 1, None)
    assert model.worst_case("be brief", "häufig") == Usage(model.name, 1)


def test_it_runs_in_an_empty_folder_with_the_environment(either, monkeypatch):
    monkeypatch.setenv("A_SETTING", "seven")
    seen = answer("import os; print(os.listdir('.'), os.environ['A_SETTING'], os.path.expanduser('~')); open('x', 'w')")
    assert seen == f"[] seven {os.path.expanduser('~')}\n"


def test_program_that_reads_nothing_is_fine(either):
    model = command("import sys; sys.stdin.close(); print('fine')")
    assert model.ask("", "x" * 1_000_000).text == "fine\n"


def test_large_prompt_and_answer_cross_without_waiting_for_each_other(either):
    model = command(f"import sys\nfor line in sys.stdin: print(line[:{LONGEST // 10}], end='')")
    assert len(model.ask("", ("x" * 9_000 + "\n") * 11).text) > 90_000


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import sys; print('first', file=sys.stderr); sys.exit('it \\x1b[1mbroke')", r"ended with exit code 1: it \[1mbroke$"),
        ("import sys; sys.exit(3)", r"ended with exit code 3: it said nothing on its standard error$"),
        ("import os; os.kill(os.getpid(), 9)", r"(was killed by signal 9|ended with exit code 137): it said nothing"),
    ],
)
def test_failure_is_a_sentence(either, source, sentence):
    with pytest.raises(ModelError, match=sentence) as caught:
        answer(source)
    assert not isinstance(caught.value, UnusableAnswer)


@pytest.mark.parametrize(
    ("source", "kept", "sentence"),
    [
        ("pass", 0, "was empty$"),
        ("print('x' * 150_000)", LONGEST, "was too long: it is cut after 100,000 characters$"),
        ("while True: print('x' * 10_000)", LONGEST, "was too long"),
        ("import sys; sys.stdout.buffer.write(bytes([255]) * 1000 + b'y' * 400_000)", LONGEST, "was too long"),
    ],
)
def test_answer_that_cannot_be_used_is_kept_in_part(either, source, kept, sentence):
    with pytest.raises(UnusableAnswer, match=sentence) as caught:
        answer(source)
    assert len(caught.value.reply.text) == kept
    assert caught.value.reply.usage.calls == 1


def test_timeout_ends_the_program_and_its_children(either, tmp_path):
    mark = f"evolve-test-{os.getpid()}-{tmp_path.name}"
    child = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', '{mark}'])"
    with pytest.raises(ModelError, match=r"did not answer within 1 s: it was stopped$"):
        answer(f"{child}; time.sleep(600)", seconds=1.0)
    assert running(mark) == ""


def running(mark: str) -> str:
    """Return the command lines of the processes with a mark; what was killed a moment ago may take one to be gone."""
    for _ in range(50):
        found = [line for line in map(command_line, Path("/proc").glob("[0-9]*")) if mark in line]
        if not found:
            break
        threading.Event().wait(0.1)
    return "\n".join(found)


def command_line(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


def test_child_that_keeps_the_output_open_holds_nobody_up():
    source = "import subprocess; print('done', flush=True); subprocess.Popen(['/bin/sleep', '60'])"
    began = time.monotonic()
    assert answer(source, seconds=50.0) == "done\n"
    assert time.monotonic() - began < 40


def test_stopped_run_waits_no_longer(either):
    stop = threading.Event()
    model = command("import time; print('half', flush=True); time.sleep(600)", clock=Clock(sleep=stop.wait))
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(ModelError, match="stopped while waiting for command:"):
        model.ask("s", "p")


@pytest.mark.parametrize("word", ["sk-ant-api03-0123456789abcdef", "planted-0004"])
def test_key_in_the_command_is_refused_without_showing_it(word, monkeypatch):
    monkeypatch.setenv("MY_DATABASE_TOKEN", "planted-0004")
    with pytest.raises(UsageError, match="a key in a command would be kept in the run") as caught:
        models.load(f"command:/bin/echo --key {word}")
    assert word not in str(caught.value)


def test_words_that_only_begin_like_a_key_are_fine():
    assert models.load("command:/bin/echo --pk-file sk-learn").ask("s", "p").text == "--pk-file sk-learn\n"


def test_many_threads_share_one_model(either):
    model = command("import sys; print(sys.stdin.read())")
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda i: model.ask("s", str(i)).text.strip(), range(16)))
    assert texts == [f"s\n\n{i}" for i in range(16)]


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("command:no-such-program -p", "there is no program 'no-such-program': give its path, or install it"),
        ("command:'", "cannot read the command"),
        ("command:''", "there is no program"),
    ],
)
def test_no_program_is_a_sentence(spec, sentence):
    with pytest.raises(UsageError, match=sentence):
        models.load(spec)


def test_files_named_in_the_command_are_found_from_another_folder(either, tmp_path, monkeypatch):
    (tmp_path / "agent.py").write_text("import sys; print('agent', sys.argv[1:])")
    monkeypatch.chdir(tmp_path)
    model = models.load(f"command:{sys.executable} agent.py --mode fast")
    assert model.ask("s", "p").text == "agent ['--mode', 'fast']\n"


def test_keys_of_the_environment_are_cut_out_of_what_it_says(either, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "geheim-0001")
    monkeypatch.setenv("MY_DATABASE_TOKEN", "geheim-0002")
    assert answer("import os; print(os.environ['ANTHROPIC_API_KEY'], os.environ['MY_DATABASE_TOKEN'])") == "[key] [key]\n"
    with pytest.raises(ModelError) as caught:
        answer("import os, sys; sys.exit(os.environ['MY_DATABASE_TOKEN'])")
    assert "geheim" not in str(caught.value)


@walled
def test_home_and_scratch_can_be_written_and_nothing_is_left_of_scratch(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = answer("import os; open(os.path.expanduser('~/state'), 'w').write('kept'); open('x', 'w'); print(os.getcwd())")
    assert (tmp_path / "state").read_text() == "kept"
    assert not Path(folder.strip()).exists()
    assert models.dangers(["command:agent -p"]) == []


@walled
def test_program_inside_what_is_hidden_is_a_sentence(tmp_path):
    agent = tmp_path / "agent"
    agent.write_text("#!/bin/sh\necho hello\n")
    agent.chmod(0o755)
    assert models.load(f"command:{agent}").ask("s", "p").text == "hello\n"
    with pytest.raises(UsageError, match=r"is to be hidden from agent, and .* lies in it: keep the run in a folder of its own"):
        models.load(f"command:{agent}", settings=Settings(hidden=(tmp_path,)))
