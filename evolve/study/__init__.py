"""Compares strategies of search at equal budget on one task, each with several seeds. Each search is a process of its own.

- credit: which steps of a lineage gained
- outcome: what came of one search
- plan: the searches of a study, and its folder
- plots: the best so far, with bands
- preparation: the seeds, judged once for all
- progress: how far a study is
- rediscovery: how near to a baseline that was held out
- runner: the searches as processes
- table: means, intervals, who is better
"""
