"""Holds statements, true and false, and what SmolLM2-135M makes of them; and what both were made with (MODEL_CARD.md).

- facts: the facts that statements are made of
- features: what the model makes of each statement
- saved: the model, saved as transformers reads it
- smollm2: the model itself
- statements: the statements
"""
