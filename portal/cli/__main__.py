"""`python -m portal.cli` is `porchlight`."""

from portal.cli import main

main()
