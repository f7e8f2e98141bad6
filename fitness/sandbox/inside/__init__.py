"""All code of ours that is loaded behind the walls of the sandbox."""
