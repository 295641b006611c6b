"""The commands, one module each; cli.py imports the one that is run."""
