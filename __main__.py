"""The command line, as ``python -m skybound``."""

from .evaluation.command_line import main

main()
