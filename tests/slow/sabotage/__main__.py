"""``python -m tests.slow.sabotage [q02 | q02.1 …]``."""

import sys

from tests.slow.sabotage.runner import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
