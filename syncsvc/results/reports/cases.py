"""What a JUnit report says of one test, gathered while its elements pass by."""

from enum import StrEnum

from syncsvc.results.reports.attachments import LONGEST_PATH, MOST_FILES, Marks
from syncsvc.results.reports.texts import LONGEST_VALUE, Capped, capped, first_line, joined

MOST_TROUBLES = 20  # of one test, with their texts; the others are counted
MOST_PROPERTIES = 200  # of one test


class Kind(StrEnum):
    """What an element says about its test."""

    FAILED = "failed"
    BROKEN = "broken"
    FLAKY = "flaky"  # failed first, and passed in the end
    SKIPPED = "skipped"
    NOTE = "note"  # says something, but nothing about the status


TROUBLES = {
    "failure": Kind.FAILED,
    "rerunFailure": Kind.FAILED,
    "error": Kind.BROKEN,
    "rerunError": Kind.BROKEN,
    "flakyFailure": Kind.FLAKY,
    "flakyError": Kind.FLAKY,
    "skipped": Kind.SKIPPED,
    "reason": Kind.NOTE,
}
OUTPUTS = {"system-out": "system-out", "output": "system-out", "system-err": "system-err"}


class Trouble:
    """A failure, an error, a skip: its message and its text."""

    __slots__ = ("_attributes", "element", "inner_message", "kind", "text")

    def __init__(self, element: str, kind: Kind, attributes: dict[str, str]) -> None:
        self.element = element
        self.kind = kind
        self.text = Capped()
        self.inner_message: Capped | None = None
        self._attributes = attributes

    def message(self) -> str:
        """Give its message, else its first line, else its type."""
        said = self._attributes.get("message", "").strip()
        if not said and self.inner_message:
            said = self.inner_message.text()
        return capped(said) or first_line(self.text.text()) or self._attributes.get("type", "")


class Output:
    """What a test wrote, and the attachments that it mentions."""

    __slots__ = ("_marks", "_text")

    def __init__(self, marks: Marks) -> None:
        self._text = Capped()
        self._marks = marks

    def add(self, text: str) -> None:
        self._text.add(text)
        self._marks.look(text)

    def text(self) -> str:
        return self._text.text()


Sink = Capped | Output
Place = tuple[Sink | None, Trouble | None]  # where text goes, and what it is part of
NOWHERE: Place = (None, None)


class Case:
    """One test as its report describes it."""

    __slots__ = (
        "_open",
        "_paths",
        "attributes",
        "line",
        "marks",
        "outputs",
        "properties",
        "troubles",
        "uncounted",
    )

    def __init__(self, attributes: dict[str, str], line: int) -> None:
        self.attributes = attributes
        self.line = line
        self.troubles: list[Trouble] = []
        self.uncounted: list[Kind] = []  # at most one of each kind, and how many in all
        self.outputs: dict[str, Output] = {}
        self.properties: dict[str, str] = {}
        self.marks = Marks()
        self._paths: list[Capped] = []
        self._open: list[Place] = []

    def start(self, name: str, attributes: dict[str, str]) -> bool:
        place = self._place(name, attributes)
        self._open.append(place)
        return place[0] is not None

    def text(self, text: str) -> None:
        sink = self._open[-1][0] if self._open else None
        if sink is not None:
            sink.add(text)

    def end(self) -> bool:
        self._open.pop()
        return bool(self._open) and self._open[-1][0] is not None

    @property
    def paths(self) -> list[str]:
        """The files that it names."""
        return [*self.marks.paths, *(path.text()[:LONGEST_PATH] for path in self._paths)]

    @property
    def kinds(self) -> set[Kind]:
        return {trouble.kind for trouble in self.troubles}.union(self.uncounted)

    def message(self) -> str | None:
        texts = [trouble.message() for trouble in self.troubles]
        message = "\n".join(dict.fromkeys(text for text in texts if text))
        return capped(message) if message else None

    def traces(self) -> str | None:
        if not self.troubles and not self.outputs:
            return None
        texts = [trouble.text.text() for trouble in self.troubles]
        if self.uncounted:
            texts.append(f"[... more than {MOST_TROUBLES} failures; the others are left out ...]")
        for name, output in self.outputs.items():
            if text := output.text():
                texts.append(f"--- {name} ---\n{text}")
        return joined(texts)

    def _place(self, name: str, attributes: dict[str, str]) -> Place:
        around = self._open[-1] if self._open else NOWHERE
        if name in TROUBLES and around[1] is None:
            return self._trouble(name, attributes)
        if name in OUTPUTS:
            return self._output(OUTPUTS[name]), around[1]
        if name == "property":
            self._property(attributes)
            return NOWHERE
        return self._inner(name, around)

    def _trouble(self, name: str, attributes: dict[str, str]) -> Place:
        trouble = Trouble(name, TROUBLES[name], attributes)
        if len(self.troubles) < MOST_TROUBLES:
            self.troubles.append(trouble)
            return trouble.text, trouble
        if trouble.kind not in self.uncounted:
            self.uncounted.append(trouble.kind)
        return None, trouble

    def _output(self, name: str) -> Output:
        return self.outputs.setdefault(name, Output(self.marks))

    def _inner(self, name: str, around: Place) -> Place:
        trouble = around[1]
        if name == "message" and trouble is not None:
            trouble.inner_message = trouble.inner_message or Capped()
            return trouble.inner_message, trouble
        if name == "filePath" and len(self._paths) <= MOST_FILES:
            self._paths.append(Capped())
            return self._paths[-1], trouble
        return around

    def _property(self, attributes: dict[str, str]) -> None:
        name = attributes.get("name", "").strip()
        if name and len(self.properties) < MOST_PROPERTIES:
            value = attributes.get("value", "")
            self.properties[name[:LONGEST_VALUE]] = capped(value, LONGEST_VALUE)
