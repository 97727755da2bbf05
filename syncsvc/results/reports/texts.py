"""Texts of a report are kept within bounds; what is cut is counted where it stood."""

LONGEST = 65_536  # characters of one text: a message, a trace, an output
HEAD = LONGEST // 2
TAIL = LONGEST - HEAD
LONGEST_VALUE = 4_096  # characters of a property or a parameter
LONGEST_NAME = 200
LONGEST_PLACE = 255  # a namespace or a classname


class Capped:
    """A text that comes in pieces; of a long one the beginning and the end are kept."""

    __slots__ = ("_cut", "_length", "_pieces", "_tail")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._tail = ""
        self._cut = 0

    def add(self, text: str) -> None:
        if self._cut:
            self._push(text)
            return
        self._pieces.append(text)
        self._length += len(text)
        if self._length > LONGEST:
            self._overflow()

    def text(self) -> str:
        """Give what is kept, without the blanks around it."""
        whole = "".join(self._pieces)
        if self._cut:
            whole += f"\n[... {self._cut} characters cut ...]\n{self._tail}"
        return whole.strip()

    def _overflow(self) -> None:
        whole = "".join(self._pieces)
        self._pieces = [whole[:HEAD]]
        self._tail = whole[-TAIL:]
        self._cut = len(whole) - HEAD - TAIL

    def _push(self, text: str) -> None:
        tail = self._tail + text
        self._cut += len(tail) - TAIL
        self._tail = tail[-TAIL:]


def capped(text: str, longest: int = LONGEST) -> str:
    """Give a text without NULs, which no store takes, and at most about so long."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if len(text) <= longest:
        return text
    half = longest // 2
    cut = len(text) - 2 * half
    return f"{text[:half]}\n[... {cut} characters cut ...]\n{text[-half:]}"


def shortened(text: str, longest: int = LONGEST_NAME) -> str:
    """Give a name that fits its field; a cut one ends in an ellipsis."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text if len(text) <= longest else text[: longest - 1] + "…"


def joined(texts: list[str]) -> str | None:
    """Join texts by blank lines, leaving out the empty ones; None when nothing is left."""
    return "\n\n".join(text for text in texts if text) or None


def first_line(text: str) -> str:
    """Give the first line that says something."""
    return text.lstrip().partition("\n")[0].rstrip()
