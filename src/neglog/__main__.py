"""``python -m neglog``: the command, where no script of it is installed."""

import sys

from neglog.cli import main

if __name__ == "__main__":
    sys.exit(main())
