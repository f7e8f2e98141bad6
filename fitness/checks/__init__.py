"""Looks for what a task gives away: answers that nobody worked for, and labels in what methods are handed.

- draws: instances, drawn twice
- leaks: columns, norms, orders, copies and remembered weights that tell the labels
- nulls: answers that know nothing
- result: what a check found
- sample: one instance, and what any answer to it is worth
"""
