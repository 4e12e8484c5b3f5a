"""The `tympan` command, also as `python -m tympan`. Ctrl+C while Python still imports is no error either."""

import sys


def run() -> int:
    """Run the command line; its exit code."""
    try:
        from tympan.cli.main import main  # noqa: PLC0415  (takes a while, in which users may change their minds)
    except KeyboardInterrupt:
        return 130
    return main()


if __name__ == "__main__":
    sys.exit(run())
