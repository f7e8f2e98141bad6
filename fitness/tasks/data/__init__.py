"""Makes a task of the user's own data: one folder a domain, with weak labels for training and true labels for tests.

- checks: whether a domain is honest and enough
- columns: the same columns in both files, in single precision
- example: writes data from scikit-learn
- pool: a domain's arrays
- reading: npz, parquet and csv files as arrays
- source: draws instances by resampling rows (builder process only)
- task: the task, by a folder or by arrays
"""
