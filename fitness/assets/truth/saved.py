"""Saves SmolLM2-135M as transformers reads it: `python -m fitness.assets.truth.saved FOLDER`.

Needs the extras truth-build and hf. The folder then serves the task lm as its weak or its strong model.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fitness.assets.truth.smollm2 import INSTALL, find
from fitness.registry import UsageError

TIED = "lm_head.weight"  # to the input embedding


def save(folder: Path) -> Path:
    """Write the model, in float32, and its tokenizer. Raises UsageError where something is not installed."""
    try:
        import gguf  # noqa: F401  # transformers asks for it late
        from safetensors.torch import save_file
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils.logging import disable_progress_bar
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed; {INSTALL}") from None
    disable_progress_bar()
    file = find()
    model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name)
    weights = {name: value.float().contiguous() for name, value in model.state_dict().items() if name != TIED}
    del model.config.quantization_config  # the weights are the float32 numbers that the quantised ones stand for
    AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name).save_pretrained(folder)
    model.config.save_pretrained(folder)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})  # transformers refuses to save what was quantised
    return folder


if __name__ == "__main__":
    try:
        print(f"saved in {save(Path(sys.argv[1]))}" if len(sys.argv) == 2 else __doc__)
    except UsageError as error:
        sys.exit(str(error))
