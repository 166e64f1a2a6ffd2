"""Arguments of the command line: what several commands take, and how their texts are read."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ..instances.errors import InputError

MOST_SEEDS = 1_000_000


def nonempty_path(text: str) -> Path:
    """The path of a text that is not empty, which would be the folder one is in."""
    if not text:
        raise typer.BadParameter("must not be empty")
    return Path(text)


PATH: dict[str, Any] = {"parser": nonempty_path, "metavar": "PATH"}
Files = Annotated[
    list[Path], typer.Argument(parser=nonempty_path, metavar="FILE...", help="Instance files (.json or .json.gz).")
]
Out = Annotated[Path, typer.Option(help="Folder to write to; made when missing.", **PATH)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines, one object a line.")]
TimeLimit = Annotated[float | None, typer.Option(help="Wall-clock limit of each run (s).", min=0)]
Gap = Annotated[float, typer.Option(help="Relative gap between objective and bound that counts as optimal.", min=0)]
Seed = Annotated[int, typer.Option(help="Seed of whatever is drawn.", min=0, max=2**63 - 1)]
Seeds = Annotated[str, typer.Option(help="Seeds such as 0-4 or 0,2,5.")]


def numbers(text: str) -> list[int]:
    """Seeds of a text such as ``0-4`` or ``0,2,5``."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise InputError(f'must be like 0-4 or 0,2,5, is "{text}"', "--seeds")
        if not 0 <= int(last if dash else first) - int(first) < MOST_SEEDS:
            raise InputError(f'must rise, by less than {MOST_SEEDS}, is "{text}"', "--seeds")
        found += range(int(first), int(last if dash else first) + 1)
    return list(dict.fromkeys(found))


def assignment(text: str) -> tuple[str, Any]:
    """Name and value of ``NAME=VALUE``; the value is JSON, or else a plain word."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise InputError(f'must be like NAME=VALUE, is "{text}"', "--set")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value
