"""Which objects a list or a watch means: label and field selectors as the real server's."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from syncsvc.sandbox.kubernetes.model import Kind, Object, Pod
from syncsvc.sandbox.kubernetes.status import bad_request

Labels = Mapping[str, str]
Test = Callable[[Labels], bool]
_KEY = r"(?P<key>[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?)"
_SET = re.compile(rf"^{_KEY}\s+(?P<word>in|notin)\s*\((?P<values>[^()]*)\)$")
_EQUAL = re.compile(rf"^{_KEY}\s*(?P<sign>==|=|!=)\s*(?P<value>[-A-Za-z0-9_.]*)$")
_EXISTS = re.compile(rf"^(?P<no>!?)\s*{_KEY}$")
_PARTS = re.compile(r",(?![^(]*\))")
_FIELD = re.compile(r"^(?P<name>[^=!]+)(?P<sign>==|=|!=)(?P<value>.*)$")
FIELDS: Mapping[str, Callable[[Object], str]] = {
    "metadata.name": lambda of: of.meta.name,
    "metadata.namespace": lambda of: of.meta.namespace,
}
POD_FIELDS: Mapping[str, Callable[[Object], str]] = {
    **FIELDS,
    "status.phase": lambda of: of.phase if isinstance(of, Pod) else "",
    "spec.nodeName": lambda of: (of.node or "") if isinstance(of, Pod) else "",
}


@dataclass(frozen=True)
class Selection:
    """What is meant; `narrow` says that it is not simply everything."""

    namespace: str | None
    labels: tuple[Test, ...]
    fields: tuple[Callable[[Object], bool], ...]

    @property
    def is_narrow(self) -> bool:
        return bool(self.labels or self.fields)

    def means(self, thing: Object) -> bool:
        if self.namespace is not None and thing.meta.namespace != self.namespace:
            return False
        labels = thing.meta.labels
        return all(test(labels) for test in self.labels) and all(t(thing) for t in self.fields)


def selection(kind: Kind, namespace: str | None, labels: str, fields: str) -> Selection:
    """Read the selectors of a call. Raises Failure for what the server would not understand."""
    if kind is Kind.NAMESPACES:
        namespace = None
    known = POD_FIELDS if kind is Kind.PODS else FIELDS
    return Selection(
        namespace,
        tuple(_label(each.strip()) for each in _PARTS.split(labels) if each.strip()),
        tuple(_field(each.strip(), known) for each in fields.split(",") if each.strip()),
    )


def _label(text: str) -> Test:
    if found := _SET.match(text):
        return _in_set(found)
    if found := _EQUAL.match(text):
        return _equal(found["key"], found["value"], wanted=found["sign"] != "!=")
    if found := _EXISTS.match(text):
        key, wanted = found["key"], not found["no"]
        return lambda labels: (key in labels) is wanted
    raise bad_request(_misread(text))


def _in_set(found: re.Match[str]) -> Test:
    key, values = found["key"], {each.strip() for each in found["values"].split(",")}
    if found["word"] == "in":
        return lambda labels: labels.get(key) in values
    return lambda labels: labels.get(key) not in values


def _equal(key: str, value: str, *, wanted: bool) -> Test:
    return lambda labels: (labels.get(key) == value) is wanted


def _misread(text: str) -> str:
    rest = re.sub(rf"^{_KEY}\s*(?:==|=|!=)\s*[-A-Za-z0-9_.]*", "", text)
    if rest != text:
        return f"found '{rest[:1]}', expected: ',' or 'end of string'"
    return f"unable to parse requirement: {text!r}"


def _field(text: str, known: Mapping[str, Callable[[Object], str]]) -> Callable[[Object], bool]:
    found = _FIELD.match(text)
    if not found:
        raise bad_request(f"invalid field selector {text!r}")
    name, value, wanted = found["name"], found["value"], found["sign"] != "!="
    if name not in known:
        raise bad_request(f"field label not supported: {name}")
    read = known[name]
    return lambda thing: (read(thing) == value) is wanted
