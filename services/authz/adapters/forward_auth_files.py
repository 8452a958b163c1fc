"""The file with the map of a gateway's routes."""

from pathlib import Path

from rolecall.core.forward_auth import ForwardAuthError, ForwardAuthMap, read_forward_auth
from shared.problems import StartRefused


def read_map(file: str) -> ForwardAuthMap | None:
    """Read the file; `None` if no file is named.

    Raises:
        StartRefused: the file cannot be read, or is not a valid map.
    """
    if not file:
        return None
    try:
        return read_forward_auth(Path(file))
    except ForwardAuthError as error:
        lines = "\n".join(f"{file}:{problem}" for problem in error.problems)
        raise StartRefused(lines) from error
    except OSError as error:
        raise StartRefused(
            f"{file} cannot be read: {error.strerror}. Name another file."
        ) from error
    except UnicodeDecodeError as error:
        raise StartRefused(f"{file} is not UTF-8 text. Save it as UTF-8.") from error
