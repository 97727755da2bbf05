"""XML is read in pieces, and what would let a small file grow or reach out is refused by name.

The elements come as calls; nothing of the document is kept here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn, Protocol
from xml.parsers import expat  # what is dangerous is refused below

from syncsvc.results.reports.model import BadReport

CHUNK = 65_536  # bytes read at once
LARGEST_TAG = 1_048_576  # bytes of a tag with its attributes, or of a comment
DEEPEST = 200  # elements within each other
MOST_WORDS = 10_000  # different names of elements and attributes


class Elements(Protocol):
    """Takes the elements of a document in their order."""

    def start(self, name: str, attributes: dict[str, str], line: int) -> bool:
        """Take a start tag; tells whether the text that follows is wanted."""
        ...

    def text(self, text: str) -> None:
        """Take a piece of text."""
        ...

    def end(self, name: str) -> bool:
        """Take an end tag; tells whether the text that follows is wanted."""
        ...


class Markup:
    """Feeds a document to whoever takes its elements; raises BadReport."""

    def __init__(self, path: Path, elements: Elements) -> None:
        self._path = path
        self._elements = elements
        self._depth = 0
        self._fed = 0
        self._words: dict[str, str] = {}
        self._parser = expat.ParserCreate(intern=self._words)
        self._listen()

    @property
    def line(self) -> int:
        return max(1, self._parser.CurrentLineNumber)

    def read(self, file: BinaryIO) -> Iterator[None]:
        """Feed the whole file, resting after each piece."""
        while piece := file.read(CHUNK):
            self._feed(piece, last=False)
            self._stay_small()
            yield
        self._feed(b"", last=True)
        yield

    def _listen(self) -> None:
        parser = self._parser
        parser.buffer_text = True
        parser.buffer_size = CHUNK
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.AttlistDeclHandler = self._attribute_list
        parser.ExternalEntityRefHandler = self._external
        parser.SkippedEntityHandler = self._skipped

    def _feed(self, piece: bytes, *, last: bool) -> None:
        self._fed += len(piece)
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as error:
            what = expat.ErrorString(error.code) or "unknown error"
            self._refuse(f"not well-formed XML ({what})", "a report is well-formed", error.lineno)
        except (LookupError, ValueError) as error:  # codecs that expat asks Python for
            self._refuse(f"its encoding is not read ({error})", "use UTF-8")

    def _stay_small(self) -> None:
        if self._fed - self._parser.CurrentByteIndex > LARGEST_TAG + CHUNK:
            self._refuse("a tag or a comment of over 1 MiB", "reports have smaller ones")
        if len(self._words) > MOST_WORDS:
            self._refuse(f"over {MOST_WORDS} different element names", "a report has a few")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            self._refuse(f"elements nested deeper than {DEEPEST}", "a report is flatter")
        self._want(self._elements.start(name, attributes, self._parser.CurrentLineNumber))

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._want(self._elements.end(name))

    def _want(self, wanted: bool) -> None:  # noqa: FBT001  # an answer that is passed on
        self._parser.CharacterDataHandler = self._elements.text if wanted else None

    def _doctype(
        self,
        name: str,
        system_id: str | None,
        public_id: str | None,
        has_internal_subset: bool,  # noqa: FBT001  # expat's signature
    ) -> None:
        if system_id or public_id:
            self._refuse(
                f"external references are not read: DOCTYPE {name[:80]}", "a report has none"
            )

    def _entity(self, name: str, *_declaration: object) -> None:
        self._refuse(f"entity declarations are not read: {name[:80]}", "a report has none")

    def _attribute_list(self, element: str, *_declaration: object) -> None:
        self._refuse(f"attribute declarations are not read: {element[:80]}", "a report has none")

    def _external(self, *_reference: object) -> int:
        self._refuse("external entities are not read", "a report has none")

    def _skipped(self, name: str, is_parameter: bool) -> None:  # noqa: FBT001  # expat's signature
        self._refuse(f"entity that is not declared: {name[:80]}", "a report has none")

    def _refuse(self, found: str, expected: str, line: int | None = None) -> NoReturn:
        raise BadReport(f"{self._path}:{line or self.line}: {found}; {expected}")
