"""Answers questions about a run, as typed data out of its archive; nothing here prints.

- ablated: what the parts of a record are worth
- best_so_far: PGR over evaluations
- card: what a model may see of a method
- changes: the diff to a parent
- contested: finalists that a probe failed, with the evidence
- costs: what each model cost
- disclosed: what shown scores can tell of labels
- diversity: entropy and novelty
- ends: intervals of enough instances
- failures: why, and how often
- filtering: sorted, filtered, Pareto
- final_table: the champion against the human best
- full_text: words in code, ideas, directions
- heat_maps: the grid
- leaderboard: every judged method
- lineage: ancestors
- method: all about one method
- operators: what arms and directions gave
- run_report: all of it at one moment
- scale_table: the champion against the human best, size by size
- status: where a run stands
- words: what a task calls its numbers
"""
