"""Errors that users see: input that cannot be used, and claims that contradict each other."""


class InputError(ValueError):
    """Input that cannot be used.

    The text says what is wrong and where, from the outside in: ``file: field[place]: message``.

    Parameters
    ----------
    message
        What is wrong, and what was expected.
    field
        Path of the field inside the input, such as ``data.uplink_bps[2][1]``; empty for the input as a whole.
    file
        File that was read; empty when the input did not come from a file.
    """

    def __init__(self, message: str, field: str = "", file: str = "") -> None:
        super().__init__(message, field, file)
        self.message = message
        self.field = field
        self.file = file

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.field, self.message) if part)

    def inside(self, file: str) -> "InputError":
        """The same error, with the file that it was found in."""
        return InputError(self.message, self.field, file)


class EngineError(RuntimeError):
    """Numbers that an engine cannot work with; the text says which."""


class ConflictError(RuntimeError):
    """Two claims about one instance that contradict each other, so one of them is false; the text says which and how
    to reproduce them.
    """
