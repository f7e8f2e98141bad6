"""Makes children with a language model.

- bare: the file in a reply that no fence encloses
- conversation: turns, cost, draft
- diff: SEARCH/REPLACE blocks
- fences: fenced blocks of a reply
- matching: the lines of an edit in its parent
- repair: slips repaired without changing the meaning
- replies: what a reply says
- thoughts: what a model said to itself
- trial: variants tried before the child is written
- vary: another direction
- whole_file: rewrite, explain, cross, fix
"""
