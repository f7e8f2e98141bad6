"""Writes prompts, step 2 of ten, and decides which scores a model may see.

- disclosure: the Ladder and the ledger of looks
- prompts: system text and requests
- templates/: the words
"""
