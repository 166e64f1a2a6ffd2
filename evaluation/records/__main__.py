"""Make records again: ``python -m skybound.evaluation.records placement --work DIR``; hours, and resumable."""

import argparse
import importlib
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Make the records of a problem."""
    parser = argparse.ArgumentParser(prog="python -m skybound.evaluation.records", description=__doc__)
    parser.add_argument("problem", choices=["placement", "association", "embedding", "provisioning", "slicing"])
    parser.add_argument("--only", help="one record, by name; all by default")
    parser.add_argument("--work", type=Path, default=Path("out/records"), help="folder of runs and raw rows")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the records")
    chosen = parser.parse_args()
    records = importlib.import_module(f".{chosen.problem}", __package__).RECORDS
    if chosen.only is not None and chosen.only not in records:
        parser.error(f"unknown: {chosen.only}; known are {', '.join(records)}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name in records if chosen.only is None else [chosen.only]:
        table = records[name](chosen.work)
        path = chosen.out / f"{chosen.problem}-{name}.csv"
        table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
        print(path)


if __name__ == "__main__":
    main()
