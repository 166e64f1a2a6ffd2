"""JSON files read strictly and written whole or not at all."""

import contextlib
import gzip
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from .errors import InputError

LARGEST_FILE_BYTES = 1 << 30  # unpacked; a small gzip file can unpack to more than the memory there is


def read_json(path: str | Path) -> Any:
    """Parse a JSON file, gzip or plain (told apart by content).

    Raises
    ------
    InputError
        When the file cannot be read, is not UTF-8 or not JSON, has a duplicate key, a number that is not finite or too
        long, or is nested too deep.
    """
    try:
        return parse_json(_unpacked(Path(path)))
    except InputError as error:
        raise error.inside(str(path)) from None


def parse_json(content: bytes) -> Any:
    """Parse JSON as strictly as `read_json`."""
    try:
        return json.loads(
            content.decode(), object_pairs_hook=_unique, parse_constant=_refuse, parse_int=_integer, parse_float=_finite
        )
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 text (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise InputError(f"is not JSON: line {error.lineno} column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise InputError("is nested too deep") from None


def _unpacked(path: Path) -> bytes:
    """The content of a file, unpacked when it is gzip."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream: IO[bytes] = gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[assignment]
            content = stream.read(LARGEST_FILE_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"is damaged gzip: {error}") from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}") from None
    if len(content) > LARGEST_FILE_BYTES:
        raise InputError(f"is larger than {LARGEST_FILE_BYTES >> 20} MiB unpacked")
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InputError("is a duplicate key", field=key)
        found[key] = value
    return found


def _refuse(constant: str) -> float:
    raise InputError(f"has {constant}, which is not a JSON number")


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:  # Python's own limit on digits
        raise InputError(f"has an integer of {len(digits)} digits") from None


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise InputError(f"has the number {digits[:40]}, which is too large for a double")
    return number


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON atomically, as gzip when the name ends in ``.gz``; equal values give equal bytes."""
    try:
        text = json.dumps(value, allow_nan=False) + "\n"
    except RecursionError:
        raise InputError("is nested too deep to write", file=str(path)) from None
    with atomic(path) as stream:
        stream.write(gzip.compress(text.encode(), mtime=0) if str(path).endswith(".gz") else text.encode())


@contextlib.contextmanager
def atomic(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that takes its name only when all is written; folders are made.

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", file=str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)
