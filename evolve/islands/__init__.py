"""Places methods on islands, populations that evolve apart, and moves elites between them: step 10 of ten.

- islands: the elites of each island, by cell
- migration: which island sends to which, and which start again
"""
