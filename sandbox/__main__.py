"""``python -m sandbox`` is the command ``panelsms-sandbox``."""

from sandbox.cli import main

if __name__ == "__main__":
    main()
