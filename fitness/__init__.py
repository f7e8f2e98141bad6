"""Says what a method is worth: tasks, their labels, the sandbox, the judge and its statistics. It imports nothing else of ours.

- assets/: the shipped models and data
- auc: AUC PGR, which is reported beside PGR
- cached_judge: human baselines, once a vault
- checks/: what a task gives away
- contracts/: what a method is handed, may return, and is scored by
- home: where what is kept lies
- judge: trials, races, blame for failures
- ladder: answers about scores that do not leak labels
- nouns: methods, problems, trials, scores
- pgr: the statistics of PGR
- probes/: tests for reward hacks
- registry: the one look-up of names, modules and files
- sandbox/: where methods run
- tasks/: what methods are judged on
- vault/: the key, the instances and their labels
"""
