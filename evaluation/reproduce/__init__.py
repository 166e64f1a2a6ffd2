"""The papers' figures, drawn anew with the optimum in them; one module a problem."""

import importlib
from collections.abc import Sequence
from pathlib import Path

from ...instances.errors import InputError

PROBLEMS = ("placement", "association", "embedding", "provisioning", "slicing")


def reproduce(
    problem: str, out: str | Path, figures: Sequence[int] | None = None, *, quick: bool = False
) -> list[Path]:
    """Draw a paper's figures; what was finished before is not done again.

    Parameters
    ----------
    problem
        A problem's name.
    out
        Folder of pictures, raw rows (CSV) and training runs.
    figures
        Numbers in the paper; all by default.
    quick
        Minutes instead of hours: fewer seeds, iterations, instances and points, which the figures say.

    Returns
    -------
    list of Path
        The pictures.

    Raises
    ------
    InputError
        When there is no such problem or figure.
    """
    if problem not in PROBLEMS:
        raise InputError(f'is "{problem}", unknown; known are {", ".join(PROBLEMS)}', "problem")
    module = importlib.import_module(f".{problem}", __name__)
    known = module.FIGURES
    for figure in figures or ():
        if figure not in known:
            raise InputError(f"is {figure}, unknown for {problem}; known are {', '.join(map(str, known))}", "--figure")
    effort = module.QUICK if quick else module.FULL
    return [known[figure](Path(out), effort) for figure in figures or known]
