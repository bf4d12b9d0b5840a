"""`python -m cmkt` is the `cmkt` command."""

import sys

from cmkt.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
