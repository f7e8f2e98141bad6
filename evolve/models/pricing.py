"""What calls cost: an offline table of prices, the user's own, sums, and the error for an answer paid for in vain."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Price:
    """A user's own price of a model, in dollars per million tokens.

    Attributes:
        input: of the prompt; `output`: of the answer, reasoning included.
        cached: of prompt tokens read from the provider's cache; None when they cost as much as the others.
    """

    input: float
    output: float
    cached: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("input", self.input), ("output", self.output), ("cached", self.cached)):
            if value is not None and not 0 <= value < math.inf:
                raise ValueError(f"the price {name} must be dollars per million tokens, 0 or more, got {value}")

    def of(self, tokens_in: int, tokens_out: int, cached: int = 0) -> float:
        """Return the dollars of a call, `cached` being part of `tokens_in`."""
        cached_price = self.input if self.cached is None else self.cached
        return ((tokens_in - cached) * self.input + cached * cached_price + tokens_out * self.output) / 1e6


def price(url: str, model: str, tokens_in: int, tokens_out: int, cached: int = 0, written: int = 0) -> float | None:
    """Return the dollars of a call, `cached` (read from the provider's cache) and `written` (to it) being part of `tokens_in`.

    None when endpoint or model has no known price.
    """
    try:
        import genai_prices
    except ImportError:
        return None
    read = min(cached, tokens_in)
    usage = genai_prices.Usage(
        input_tokens=tokens_in,
        cache_read_tokens=read,
        cache_write_tokens=min(written, tokens_in - read),
        output_tokens=tokens_out,
    )
    try:
        return float(genai_prices.calc_price(usage, model, provider_api_url=url).total_price)
    except (LookupError, ValueError):
        return None
