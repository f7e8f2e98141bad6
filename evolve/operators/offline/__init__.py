"""Makes children by editing methods with libcst; no model is needed.

- ablation: a part less, without a grammar
- base: what these operators share
- declared: constants that a method declares as tunable
- editing: from sources to a checked child
- exchange: a step of the same name, without a grammar
- fit: declared constants, by experiments
- graft: a step of another method
- insert: a step that was absent
- literals: where constants stand in a file
- neutral: one part at a time neutralised
- numbers: which constants may change
- perturb: other constants
- prospects: what they find to do, said at the start
- record: what the record's parts are worth, by experiments; it makes no child
- remove: one step less
- script: a file as definitions
- simplify: less of the same
- splice: a step moved between files
- tune: constants proposed by Optuna
"""
