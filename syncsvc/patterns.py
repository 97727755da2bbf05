"""Regular expressions of strangers: RE2's search takes no longer than the text is long.

What would need more than that is refused by RE2: references back, and looking around.
"""

import re2

from syncsvc.errors import Rejected

LONGEST_PATTERN = 200  # characters


class Pattern:
    """Tells whether a regular expression is found anywhere in a line."""

    def __init__(self, field: str, text: str) -> None:
        """Raises Rejected that names the field and says what is wrong with the pattern."""
        if not 1 <= len(text) <= LONGEST_PATTERN:
            raise Rejected(
                f"{field}: expected 1 to {LONGEST_PATTERN} characters, found {len(text)}"
            )
        options = re2.Options()
        options.log_errors = False  # on standard error
        try:
            self._found = re2.compile(text, options)
        except (re2.error, UnicodeEncodeError) as error:
            why = error.args[0].decode(errors="replace") if _is_told(error) else "no such text"
            raise Rejected(
                f"{field}: expected a regular expression as RE2 knows them, "
                f"found {text[:80]!r}: {why}"
            ) from None

    def is_in(self, line: str) -> bool:
        return self._found.search(line.encode(errors="replace").decode()) is not None


def _is_told(error: Exception) -> bool:
    return bool(error.args) and isinstance(error.args[0], bytes)
