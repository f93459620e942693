"""`python -m graphbuild` is the command `graphbuild`."""

from graphbuild.cli import main

main()
