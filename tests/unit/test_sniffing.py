"""The Content-Type of bytes that came without one is the one a Go server would say."""

import pytest

from syncsvc.adapters.testsync.sniffing import sniff

TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
BINARY = "application/octet-stream"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"payload-e2e", TEXT),
        (b'{"a": 1}', TEXT),
        (b" \t\r\n\x0c", TEXT),
        (b"\x1b[1mbold", TEXT),
        ("Grüße".encode(), TEXT),
        (b"\xff", TEXT),
        (b"\x00", BINARY),
        (b"text and then\x01", BINARY),
        (b"x\x0b", BINARY),
        (b"x\x1a", BINARY),
        (b"x\x7f\x80", TEXT),
        (b"\xef\xbb\xbfa", TEXT),
        (b"\xef\xbb\xbf\x00", TEXT),
        (b"\xfe\xff\x00a", "text/plain; charset=utf-16be"),
        (b"\xff\xfea\x00", "text/plain; charset=utf-16le"),
        (b"\xff\xfea", TEXT),
        (b"<html>", HTML),
        (b" \n\t<HtMl lang='x'>", HTML),
        (b"<!DOCTYPE html>", HTML),
        (b"<!doctype html ", HTML),
        (b"<!-- note", HTML),
        (b"<h1>", HTML),
        (b"<p>", HTML),
        (b"<p", TEXT),
        (b"<p\n", TEXT),
        (b"<pre>", TEXT),
        (b"<a href=x>", HTML),
        (b"x<html>", TEXT),
        (b"\x01<html>", BINARY),
        (b"<?xml version='1.0'?>", "text/xml; charset=utf-8"),
        (b"  <?xml", "text/xml; charset=utf-8"),
        (b"<?XML", TEXT),
        (b"%PDF-1.7", "application/pdf"),
        (b" %PDF-1.7", TEXT),
        (b"%!PS-Adobe-3.0", "application/postscript"),
        (b"GIF87a...", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"GIF88a", TEXT),
        (b"\x89PNG\x0d\x0a\x1a\x0a\x00", "image/png"),
        (b"\xff\xd8\xff\xdb", "image/jpeg"),
        (b"BM", "image/bmp"),
        (b"RIFF\x00\n\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\n\x00\x00WAVEfmt ", "audio/wave"),
        (b"RIFF\x00\x00\x00\x00AVI ", BINARY),
        (b"\x00\x00\x01\x00\x01", "image/vnd.microsoft.icon"),
        (b"OggS\x00\x02", "application/ogg"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
        (b"Rar \x1a\x07\x00", "application/x-rar-compressed"),
        (b"PK\x03\x04", "application/zip"),
        (b"\x1f\x8b\x08\x00", "application/x-gzip"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42", "video/mp4"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp41", "video/mp4"),
        (b"\x00\x00\x00\x10ftypisommp42", BINARY),  # a version number, no brand
        (b"\x00\x00\x00\x18ftypmp42", BINARY),  # less than it announces
        (b"\x00\x00\x00\x0dftypmp42\x00", BINARY),
    ],
)
def test_content_is_told_by_its_first_bytes(content, expected):
    assert sniff(content).decode() == expected


def test_only_the_first_512_bytes_count():
    assert sniff(b"a" * 512 + b"\x00").decode() == TEXT
    assert sniff(b"a" * 511 + b"\x00").decode() == BINARY
    assert sniff(b" " * 507 + b"<html>").decode() == TEXT
    assert sniff(b" " * 506 + b"<html>").decode() == HTML
