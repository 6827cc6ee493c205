"""The command line `gtm`, out of the same library that the package calls."""

import sys

from gtm import _native


def main() -> None:
    """Runs `gtm` with the process's arguments and exits with its code."""
    sys.exit(_native.main(["gtm", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
