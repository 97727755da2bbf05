"""Files in a multipart body: their names and contents, and nothing more of RFC 7578."""

from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from syncsvc.sandbox.replies import Refusal


@dataclass(frozen=True)
class File:
    name: str
    media_type: str
    content: bytes


def files(content_type: str, body: bytes) -> list[File]:
    """List the files of a body; other fields of the form are passed over."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/form-data" or not boundary:
        text = f"found {content_type or 'nothing'}, expected multipart/form-data with a boundary"
        raise Refusal(400, text, "Content-Type")
    found = list(_files(body, b"--" + boundary.encode()))
    if not found:
        raise Refusal(400, "found no file in the form, expected one named file", "file")
    return found


def _files(body: bytes, boundary: bytes) -> Iterator[File]:
    for part in (b"\r\n" + body).split(b"\r\n" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        headers = _headers(head)
        name = headers.get_filename()
        if name is not None:
            yield File(name, headers.get_content_type(), content)


def _headers(head: bytes) -> Message:
    headers = Message()
    headers.set_default_type("application/octet-stream")
    for line in head.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip()] = value.strip()
    return headers
