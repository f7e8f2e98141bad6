"""States what a method is handed, what it may return, how that is scored, and which probes apply.

- arranging: arrays in other orders
- checking: what a task draws, held against its contract
- contract: what a contract is
- probabilities: from a weak teacher's labels to class probabilities
- symmetries: what no honest method cares about, as data
- wording: a contract in words
"""
