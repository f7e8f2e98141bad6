"""Writes prompts, step 2 of ten, and decides which scores a model may see.

- ablations: what parts of the record are worth
- cards: what is told of a method
- disclosure: cards or Ladders, and the ledger of looks
- ladders: the Ladder of each search domain
- prompts: requests
- rows: what a prompt tells of a method in one line
- system: the system text
- templates/: the words
- words: reads them, and gives them a digest
"""
