"""Check a lab on the command line: ``python -m labs.judge check 3``."""

import sys

from labs.judge.commands import main

if __name__ == "__main__":
    sys.exit(main())
