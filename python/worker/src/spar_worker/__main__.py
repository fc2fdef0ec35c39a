"""The command: `python -m spar_worker --model NAME=FOLDER`."""

import sys

from .owner import watch_owner


def main() -> None:
    """Watches the owner, then imports what takes seconds, reads the command line and serves."""
    watch_owner(sys.argv[1:])
    from .command import run  # noqa: PLC0415 - after the watch has begun

    run(sys.argv[1:])


if __name__ == "__main__":
    main()
