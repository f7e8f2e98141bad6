"""Makes a task of the user's own data: one folder a domain, with weak labels for training and true labels for tests.

- example: writes data from scikit-learn
- pool: a domain's arrays, and what is checked of them
- reading: npz, parquet and csv files as arrays
- source: draws instances by resampling rows (builder process only)
- task: the task, by a folder or by arrays
"""
