"""Chooses what to ask next, step 1 of ten: island, parents, operator, model, direction.

- bandit: operator and model, by gain per cost
- choice: what selection is asked and answers
- directions: the populations of directions
- novelty: the distance of prompts, and of methods
- pairing: second parents that add something, and directions that a parent can take up
- parents: who may be a parent
- repairs: which failed child a model repairs next
- selector: one choice
- strategies: what is kept, and what children are made of
- tunings: which child has its declared constants tuned next
"""
