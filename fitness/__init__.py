"""The task, the judge and the sandbox: everything that knows what a method is worth."""
