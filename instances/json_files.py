"""JSON files read strictly and written whole or not at all."""

import contextlib
import gzip
import hashlib
import json
import math
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .errors import InputError

LONGEST = 150  # characters of a file's name before its ending
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


@dataclass(frozen=True, eq=False)
class _Refused:
    """Stands where a number cannot be used, until its place is known."""

    why: str


def parse_json(content: bytes) -> Any:
    """Parse JSON as strictly as `read_json`."""
    refused: list[_Refused] = []

    def refuse(why: str) -> _Refused:
        refused.append(_Refused(why))
        return refused[-1]

    def integer(digits: str) -> int | _Refused:
        try:
            return int(digits)
        except ValueError:  # Python's own limit on digits
            return refuse(f"has an integer of {len(digits)} digits")

    def real(digits: str) -> float | _Refused:
        number = float(digits)
        return number if math.isfinite(number) else refuse(f"is {digits[:40]}, too large for a double")

    try:
        value = json.loads(
            content.decode(),
            object_pairs_hook=_unique,
            parse_constant=lambda constant: refuse(f"is {constant}, which is not a JSON number"),
            parse_int=integer,
            parse_float=real,
        )
        if refused:
            raise InputError(refused[0].why, _place_of(refused[0], value) or "")
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 text (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise InputError(f"is not JSON: line {error.lineno} column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise InputError("is nested too deep") from None
    return value


def _place_of(item: _Refused, value: Any) -> str | None:
    """Path of an item within parsed JSON."""
    if value is item:
        return ""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        if (rest := _place_of(item, part)) is not None:
            here = f"[{key}]" if isinstance(key, int) else key
            return here + ("." if rest and not rest.startswith("[") else "") + rest
    return None


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


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON atomically, as gzip when the name ends in ``.gz``; equal values give equal bytes."""
    try:
        text = json.dumps(value, allow_nan=False) + "\n"
    except RecursionError:
        raise InputError("is nested too deep to write", file=str(path)) from None
    with atomic(path) as stream:
        stream.write(gzip.compress(text.encode(), mtime=0) if str(path).endswith(".gz") else text.encode())


def file_stem(name: str) -> str:
    """A name as that of a file anywhere: no folders, nothing that shells would touch, and not too long."""
    stem = re.sub(r"[^\w.=,-]+", "_", name)
    if len(stem) <= LONGEST:
        return stem
    return f"{stem[: LONGEST - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


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
        with contextlib.suppress(OSError):  # a folder that is none; said above
            temporary.unlink()
