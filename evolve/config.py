"""Reads a run's configuration: evolve.toml, then --set, then flags; unknown keys are refused with the nearest known one."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticSerializationError

from evolve.errors import UsageError
from evolve.files import decoded, read_regular
from evolve.text import as_json, holds_secret, printable_line

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

DEFAULT_FILE = Path("evolve.toml")
LARGEST_INTEGER = 2**63 - 1  # of SQLite
LARGEST = 1 << 20  # bytes of a config file
RESERVED = {  # fields of a request that are not the user's to set, and what to do instead
    **dict.fromkeys(("model", "models"), "name the model with --model"),
    **dict.fromkeys(("messages", "system", "prompt", "input", "instructions"), "the search writes them"),
    **dict.fromkeys(
        ("max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens"),
        "set reply_tokens, which bounds the cost",
    ),
    **dict.fromkeys(("n", "best_of"), "a call has one answer"),
    "stream_options": "it follows from stream",
}
OF_DATA = {"classes", "ceiling", "normalise"}  # settings of a task that is made of the user's own data
Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Price:
    """A user's own price of a model, in dollars per million tokens.

    Attributes:
        input: of the prompt; `output`: of the answer, reasoning included.
        cached: of prompt tokens read from the provider's cache; None when they cost as much as the others.
    """

    input: Dollars
    output: Dollars
    cached: Dollars | None = None

    def of(self, tokens_in: int, tokens_out: int, cached: int = 0) -> float:
        """Return the dollars of a call, `cached` being part of `tokens_in`."""
        cached_price = self.input if self.cached is None else self.cached
        return ((tokens_in - cached) * self.input + cached * cached_price + tokens_out * self.output) / 1e6


class Config(BaseModel):
    """Every setting of a run, with its default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str = Field("embedded", description="The task to search on.")
    data: str | None = Field(None, description="Your own data, for a task that is made of them: a folder with one a domain.")
    classes: Literal["natural", "balanced"] = Field("natural", description="How common the classes of own data are.")
    ceiling: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="The ceiling on own data; none means the default learner on labels that are held back."
    )
    normalise: bool = Field(True, description="Bring the rows of own data to the same norm.")
    options: dict[str, Any] = Field({}, description="Options of a task that is made of your own data, as a table.")
    check_task: bool = Field(True, description="Check a task of one's own before the first run on it begins.")
    domain: str = Field("chat", description="The search domain, or several as A+B; the held-out ones are the task's.")
    executor: str = Field("local", description="Where methods are judged.")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where methods compute: auto is a GPU if there is one.")
    seeds: tuple[str, ...] = Field((), description="More seed files or folders, beside the human baselines.")
    seed: int = Field(0, ge=0, description="Seed of the run's random generators.")
    evals: int = Field(120, ge=1, description="Methods to judge (seeds and retries not counted).")
    trials: Annotated[int, Field(gt=0)] | None = Field(None, description="Runs of bred methods on dev instances in all.")
    minutes: Annotated[float, Field(gt=0)] | None = Field(None, description="Stop selecting after this long.")
    usd: Annotated[float, Field(gt=0)] | None = Field(None, description="What model calls may cost in all, in dollars.")
    tokens: Annotated[int, Field(gt=0)] | None = Field(None, description="Tokens that model calls may use in all.")
    max_calls: Annotated[int, Field(gt=0)] | None = Field(None, description="Model calls in all.")
    workers: int = Field(2, ge=1, le=64, description="Evaluations at once; 1 makes a run repeat exactly.")
    calls: int = Field(8, ge=1, le=64, description="Model calls at once; 1 with 1 worker: one candidate after the other.")
    model: tuple[str, ...] = Field((), description="Models, as provider:name; none means offline operators only.")
    base_url: str | None = Field(None, description="Base URL of an OpenAI-compatible server.")
    reply_tokens: int = Field(16_384, ge=256, description="Tokens that one answer may have, thoughts included.")
    thinking: int = Field(0, ge=0, description="Tokens of thought before an answer, for anthropic models.")
    prices: dict[str, Price] = Field({}, description="Your own prices of models, in dollars per million tokens.")
    extra_body: dict[str, Any] = Field({}, description="Fields that requests to models hold beside ours, as a table or JSON.")
    trust_methods: bool = Field(
        False, description="Run language-model code and other people's files below sandbox level B too."
    )
    disclosure: Literal["card", "ladder", "full"] = Field(
        "card", description="What a model sees of scores: a card on a grid, the Ladder's best so far, or the full numbers."
    )
    experiments: float = Field(
        0.25, ge=0, le=4, description="Trials of variants that operators try, as a share of those of children; 0: none."
    )
    pairing: Literal["complement", "rank"] = Field(
        "complement", description="What goes with a parent: what it lacks and can take up, or others by rank and any direction."
    )
    tuning: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Whether constants that models declare are tuned; auto: while a call takes longer than judging.",
    )
    trackers: tuple[str, ...] = Field((), description="Trackers that follow the run: wandb, trackio, mlflow, tensorboard.")
    offline_share: float = Field(
        0.25, ge=0, le=1, description="Share of children from offline operators when there is a model."
    )

    strategy: str = Field("map-elites", description="What is kept, and what children are made of.")
    measures: tuple[str, ...] = Field((), description="Measures that span the grid; none means the task's default ones.")
    grid: Literal["bins", "cvt"] = Field("bins", description="Cells: equal bins of two or three measures, or Voronoi cells.")
    cells: int = Field(100, ge=2, le=10_000, description="Cells of a Voronoi grid.")
    islands: int = Field(3, ge=1, le=64, description="Populations that evolve apart.")
    migrate_every: int = Field(10, ge=1, description="Evaluations between migrations of the best elites to other islands.")
    topology: Literal["ring", "complete", "random"] = Field(
        "ring", description="Where migrants go: to the next island, to every other, or to one that is drawn."
    )
    reset_every: int = Field(120, ge=1, description="Evaluations between resets of the worst half of the islands.")
    novelty: float = Field(1.0, ge=0, description="Weight of a prompt's novelty against its value; 0 switches it off.")
    dev_instances: int = Field(10, ge=2, description="Instances of each search domain a method needs before it can be placed.")
    fresh_instances: int = Field(20, ge=2, description="Instances of each search domain that judge the finalists at the end.")
    held_out_instances: Annotated[int, Field(ge=0)] | None = Field(
        None, description="Instances of the held-out domains, dealt out in turn; by default 4 of each."
    )
    scale_check: bool = Field(False, description="Judge the champion on each size of model of the task scale at the end.")
    finalists: int = Field(3, ge=1, le=20, description="The best methods that the final table compares with the human best.")
    sealed_looks: int = Field(3, ge=0, description="How often the sealed instances of a vault may be opened.")

    @field_validator("data", mode="before")
    @classmethod
    def _written(cls, value: object) -> object:
        """Take a path as a text."""
        return str(value) if isinstance(value, PathLike) else value

    @field_validator("seeds", "model", "trackers", "measures", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        """Take one name or path where several may stand."""
        entries = [value] if isinstance(value, str | PathLike) else value
        if not isinstance(entries, list | tuple):
            return entries
        return tuple(str(entry) if isinstance(entry, PathLike) else entry for entry in entries)

    @field_validator("*", mode="after")
    @classmethod
    def _can_be_stored(cls, value: object) -> object:
        """Take no whole number that an archive cannot hold."""
        if isinstance(value, int) and value > LARGEST_INTEGER:
            raise ValueError(f"a whole number can be {LARGEST_INTEGER} at most")
        return value

    @field_validator("domain", mode="before")
    @classmethod
    def _joined(cls, value: object) -> object:
        """Take one domain, several in a list, or several joined by commas or plus signs."""
        entries = [value] if isinstance(value, str) else value
        if not isinstance(entries, (list, tuple)) or not all(isinstance(entry, str) for entry in entries):
            raise ValueError("a domain is a name such as chat, or several such as chat+code_deceptive")
        names = [name.strip() for entry in entries for name in entry.replace(",", "+").split("+")]
        if not names or not all(names):
            raise ValueError("a domain has a name, such as chat")
        return "+".join(dict.fromkeys(names))

    @field_validator("extra_body", mode="before")
    @classmethod
    def _apart(cls, value: object) -> object:
        """Take a table or JSON whose fields are not ours, and hold no key: it is stored, and shown, with the run."""
        try:
            fields = json.loads(value) if isinstance(value, str) else value
            json.dumps(fields, allow_nan=False)
        except (ValueError, TypeError, RecursionError):
            fields = None
        said = "extra_body cannot be used"  # without the value, which may hold a key
        if not isinstance(fields, dict):
            raise UsageError(f'{said}: write it as a table or as JSON, such as {{"top_k": 20}}')
        taken = next((name for name in fields if name.lower() in RESERVED), "")
        if taken:
            raise UsageError(f"{said}: {taken} is this program's own: {RESERVED[taken.lower()]}")
        if fields.get("stream") not in (None, True, False):
            raise UsageError(f"{said}: stream is true or false")
        if holds_secret(fields):
            raise UsageError(f"{said}: a key in it would be kept in the run: keys are read from the environment alone")
        return fields

    @property
    def tunes(self) -> bool:
        """Whether constants that models declare may be tuned."""
        return self.experiments > 0 and self.tuning != "never"

    @property
    def domains(self) -> tuple[str, ...]:
        """The search domains, one by one."""
        return tuple(self.domain.split("+"))


def check_keys(keys: Iterable[str], where: str, known: Sequence[str] = ()) -> None:
    """Raise UsageError for a key that is no setting, or none of `known`, with the nearest one."""
    names = known or list(Config.model_fields)
    for key in keys:
        if key not in names:
            near = get_close_matches(key, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the keys are {', '.join(names)}"
            raise UsageError(f"unknown key {key!r} in {where}: {hint}")


def read_file(path: Path) -> dict[str, Any]:
    """Read a config file. Raises UsageError when it is missing, not TOML, or has an unknown key."""
    try:
        raw = read_regular(path, LARGEST)
        if raw is None:
            raise UsageError(f"cannot read the config {path}: it is no regular file of at most {LARGEST:,} bytes")
        values = tomllib.loads(decoded(raw))
    except OSError as error:
        raise UsageError(f"cannot read the config {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the config {path} is not UTF-8 text: save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the config {path} is not valid TOML: {error}") from error
    check_keys(values, str(path))
    return values


def parse_set(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Read --set key=value pairs; values are TOML, or plain text. Raises UsageError for an unknown key or a missing '='."""
    values: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise UsageError(f"--set takes key=value, got {pair!r}")
        check_keys([key], "--set")
        try:
            values[key] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            values[key] = text
    return values


def resolve(*layers: Mapping[str, Any]) -> Config:
    """Merge layers of settings, the later ones winning. Raises UsageError with the setting that is out of range."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged |= {key: value for key, value in layer.items() if value is not None}
    try:
        config = Config(**merged)
        config.model_dump_json()  # an archive keeps it so
        return config
    except PydanticSerializationError:
        raise UsageError("a setting holds text that is not UTF-8: name files and models in UTF-8") from None
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{name} = {_as_toml(first['input'])} cannot be used: {_wanted(first)}") from error


# What a setting takes, by the end of pydantic's name of the error, in the words of a config file and not of Python.
_WANTED = {
    "tuple": 'it takes a list of texts, such as ["one", "two"]',
    "int": "it takes a whole number",
    "float": "it takes a number",
    "finite_number": "it takes a number that is finite",
    "bool": "it takes true or false",
    "string": "it takes a text",
    "dict": "it takes a table, such as {name = 1}",
    "dataclass": "it takes a table, such as {input = 1, output = 2}",
}


def _wanted(error: ErrorDetails) -> str:
    """Return what a setting takes, as a sentence."""
    kind = (
        error["type"].removesuffix("_type").removesuffix("_parsing").removesuffix("_from_float").removesuffix("_parsing_size")
    )
    if kind in _WANTED:
        return _WANTED[kind]
    said = error["msg"].removeprefix("Value error, ")
    return said[:1].lower() + said[1:]


def inline_table(options: Mapping[str, Any]) -> str:
    """Return options as one writes them behind --set: {name = "text", other = 3}."""
    names = [name if re.fullmatch(r"[\w-]+", name, re.ASCII) else json.dumps(name) for name in options]
    return "{" + ", ".join(f"{name} = {json.dumps(value)}" for name, value in zip(names, options.values())) + "}"


def _as_toml(value: object) -> str:
    """Return a value as one would write it into a config file, cut when it is long."""
    plain = isinstance(value, str | float | int) and not isinstance(value, bool)
    return printable_line(repr(value) if plain else as_json(value, ensure_ascii=False, default=str), 80)
