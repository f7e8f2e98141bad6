"""Writes the prompts, and decides which scores a model may see."""
