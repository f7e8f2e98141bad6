"""Writes prompts, step 2 of ten, and decides which scores a model may see.

- cards: what is told of a method
- disclosure: cards or Ladders, and the ledger of looks
- ladders: the Ladder of each search domain
- prompts: system text and requests
- templates/: the words
"""
