"""Makes children with a language model.

- conversation: turns, cost, draft
- diff: SEARCH/REPLACE blocks
- repair: slips repaired without changing the meaning
- replies: what a reply says
- vary: another direction
- whole_file: rewrite, explain, cross, fix
"""
