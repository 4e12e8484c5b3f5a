"""`python -m tympan` is the `tympan` command."""

import sys

from tympan.cli.main import main

sys.exit(main())
