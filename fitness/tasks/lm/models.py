"""Finds and loads causal language models that are on this machine; nothing is ever downloaded.

The functions that return sizes and names are for the trusted process too, and import neither torch nor transformers.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fitness.registry import UsageError

INSTALL = 'pip install "evolve-w2s[hf]"'
GATED = "a gated model wants its licence accepted on its page and `hf auth login` first"
EDGE = 1 << 20  # bytes at either end of a weights' file that its fingerprint reads
_BASE, _CHAT = re.compile(r"[-_/]base(?![a-z])"), re.compile(r"[-_](chat|instruct|it)(?![a-z])")  # in a model's name


@dataclass(frozen=True)
class ModelShape:
    """The sizes of a decoder with gated MLPs and grouped attention, such as Qwen's, from its config.json.

    Attributes:
        layers, width: how many blocks, and the size of a hidden state; `inner`: that of an MLP; `vocabulary`: how many tokens.
        heads, groups, head: how many heads of attention, how many of keys and values, and the size of one.
        tied: whether the output embedding is the input embedding.
        positions: tokens that the model can read.
    """

    layers: int
    width: int
    heads: int
    groups: int
    head: int
    inner: int
    vocabulary: int
    tied: bool
    positions: int

    @property
    def projections(self) -> tuple[tuple[int, int], ...]:
        """Inputs and outputs of the seven projections of a block: q, k, v, o, gate, up, down."""
        queries, keys = self.heads * self.head, self.groups * self.head
        attention = ((self.width, queries), (self.width, keys), (self.width, keys), (queries, self.width))
        return (*attention, (self.width, self.inner), (self.width, self.inner), (self.inner, self.width))

    @property
    def parameters(self) -> int:
        """All weights, norms aside."""
        embeddings = (1 if self.tied else 2) * self.vocabulary * self.width
        return embeddings + self.layers * sum(m * n for m, n in self.projections)


USUAL = {  # the default models, so that what they need can be told before they are there
    "Qwen/Qwen3-4B-Base": ModelShape(36, 2560, 32, 8, 128, 9728, 151_936, True, 32_768),
    "Qwen/Qwen1.5-0.5B-Chat": ModelShape(24, 1024, 16, 16, 64, 2816, 151_936, True, 32_768),
}


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model in memory.

    Attributes:
        model: a causal language model of transformers, in evaluation mode, without gradients.
        tokenizer: its tokenizer; `padding`: the token that fills prompts up, which is masked.
        fingerprint: of its files.
        chat: whether it is a chat model.
    """

    model: Any
    tokenizer: Any
    padding: int
    fingerprint: str
    chat: bool


def folder_of(name: str) -> Path:
    """Return the folder that holds a model: as named, or in Hugging Face's cache. Raises UsageError when there is none."""
    folder, again = Path(name).expanduser(), "save the model with save_pretrained, or download it whole"
    if not folder.is_dir():
        folder, again = _cached(name), f"download it whole with `hf download {name}` ({GATED})"
    if not (folder / "config.json").is_file():
        raise UsageError(f"{folder} holds no model, it has no config.json: {again}")
    if not any(folder.glob("*.safetensors")):
        raise UsageError(f"{folder} has no weights as .safetensors: {again}")
    return folder.resolve()


def check_weights(folder: Path) -> None:
    """Raise UsageError where a file of weights was cut short, or one that an index names is missing. Nothing is loaded."""
    for path in sorted(folder.glob("*.safetensors")):
        size = path.stat().st_size
        with open(path, "rb") as file:
            header = int.from_bytes(file.read(8), "little")  # the format's: its length, then JSON, then the numbers
            try:
                found = json.loads(file.read(min(header, size)))
                whole = (
                    8
                    + header
                    + max(end for name, one in found.items() if name != "__metadata__" for end in one["data_offsets"])
                )
            except (ValueError, KeyError, TypeError, AttributeError):
                raise UsageError(f"{path} is no whole .safetensors file: download the model, or save it, again") from None
        if size != whole:
            raise UsageError(f"{path} has {size:,} of {whole:,} bytes: download the model, or save it, again")
    for index in folder.glob("*.safetensors.index.json"):
        named = re.findall(r'"([^"/]+\.safetensors)"', index.read_text(encoding="utf-8"))
        missing = next((name for name in sorted(set(named)) if not (folder / name).is_file()), None)
        if missing:
            raise UsageError(f"{folder} lacks {missing}, which its index names: download the model whole")


def _cached(name: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
    except ImportError:
        raise UsageError(f"{name} is no folder, and Hugging Face's cache is read by transformers: {INSTALL}") from None
    try:
        return Path(snapshot_download(name, local_files_only=True))
    except HFValidationError as error:
        raise UsageError(f"there is no folder {name}: name one that holds a model, or a model of Hugging Face") from error
    except (LocalEntryNotFoundError, OSError) as error:
        download = f"download it once with `hf download {name}`"
        raise UsageError(
            f"the model {name} is neither a folder nor in Hugging Face's cache: {download} ({GATED}), or name another one"
        ) from error


def shape_of(name: str) -> ModelShape:
    """Return a model's sizes. Raises UsageError when it is not there, or of another kind."""
    folder = folder_of(name)
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        heads = int(found["num_attention_heads"])
        return ModelShape(
            layers=int(found["num_hidden_layers"]),
            width=int(found["hidden_size"]),
            heads=heads,
            groups=int(found.get("num_key_value_heads") or heads),
            head=int(found.get("head_dim") or found["hidden_size"] // heads),
            inner=int(found["intermediate_size"]),
            vocabulary=int(found["vocab_size"]),
            tied=bool(found.get("tie_word_embeddings", False)),
            positions=int(found["max_position_embeddings"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        said = f"{type(error).__name__}: {error}"
        raise UsageError(f"{folder}/config.json is not that of a decoder such as Qwen's or Llama's ({said})") from error


def known_shape(name: str) -> ModelShape:
    """Return a model's sizes, those of the default models also where they are not there. Raises UsageError."""
    return USUAL[name] if name in USUAL else shape_of(name)


def is_chat(name: str) -> bool:
    """Tell whether a model is a chat model, as AAR does: by its name; base models have chat templates too."""
    last = "/" + Path(name).name.lower()
    return not _BASE.search(last) and _CHAT.search(last) is not None


def fingerprint(folder: Path) -> str:
    """Return hexadecimal digits of what a model's files are: small ones whole, of weights the size and both ends."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.suffix in (".json", ".safetensors", ".jinja", ".txt")):
        size = path.stat().st_size
        digest.update(f"{path.name} {size} ".encode())
        with open(path, "rb") as file:
            digest.update(file.read(EDGE))
            file.seek(max(0, size - EDGE))
            digest.update(file.read(EDGE))
    return digest.hexdigest()[:16]


def load(name: str) -> Loaded:
    """Load a model onto the GPU in bfloat16, or onto the processor in float32 where there is none.

    Raises UsageError when it is not there, cannot be read, or transformers is not installed.
    """
    folder = folder_of(name)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # the builder's sums repeat
    try:
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModelForCausalLM
        from transformers.utils.logging import disable_progress_bar
    except ImportError:
        raise UsageError(f"language models need transformers: {INSTALL}") from None
    disable_progress_bar()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    tokenizer = tokenizer_of(name)
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True, use_safetensors=True)
        model = model.to(device).eval().requires_grad_(False)
    except torch.OutOfMemoryError:
        need = f"{shape_of(name).parameters * dtype.itemsize / 1e9:.1f} GB"
        raise UsageError(f"the GPU has no room for the weights of {name}, {need}: name a smaller model") from None
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise UsageError(f"the model in {folder} cannot be loaded: {' '.join(str(error).split())[:200]}") from error
    return Loaded(model, tokenizer, padding_of(tokenizer), fingerprint(folder), is_chat(name))


def tokenizer_of(name: str) -> Any:
    """Load a model's tokenizer. Raises UsageError."""
    folder = folder_of(name)
    try:
        from transformers import AutoTokenizer
    except ImportError:
        raise UsageError(f"language models need transformers: {INSTALL}") from None
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise UsageError(f"the tokenizer in {folder} cannot be loaded: {' '.join(str(error).split())[:200]}") from error


def padding_of(tokenizer: Any) -> int:
    """Return the token that fills prompts up: it is masked, so one that has another use will do. Raises UsageError."""
    for token in (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id):
        if token is not None:
            return int(token)
    raise UsageError("the tokenizer has no padding token, and no end token to take for one: set pad_token, and save it again")
