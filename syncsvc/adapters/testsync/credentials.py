"""Who may use the two TestSync ports: one name and one password, compared in constant time."""

import binascii
import hmac
from dataclasses import dataclass, field

SCHEME = b"basic "


@dataclass(frozen=True)
class Credentials:
    """What a client must show; both parts empty means that nothing was configured."""

    username: str
    password: str = field(repr=False)

    @property
    def configured(self) -> bool:
        return bool(self.username or self.password)

    def admits(self, username: str, password: str) -> bool:
        """Tell whether these are the ones; anything goes when nothing was configured."""
        return self._admits(_encoded(username), _encoded(password))

    def admits_header(self, value: bytes | str | None) -> bool | None:
        """Tell whether the value of an Authorization header carries them.

        None when it is no Basic header that can be read, configured or not.
        """
        shown = _parse(_encoded(value) if isinstance(value, str) else value or b"")
        return None if shown is None else self._admits(*shown)

    def _admits(self, username: bytes, password: bytes) -> bool:
        if not self.configured:
            return True
        same_name = hmac.compare_digest(username, _encoded(self.username))
        same_password = hmac.compare_digest(password, _encoded(self.password))
        return same_name and same_password


def _parse(value: bytes) -> tuple[bytes, bytes] | None:
    if value[: len(SCHEME)].lower() != SCHEME:
        return None
    try:
        decoded = binascii.a2b_base64(value[len(SCHEME) :], strict_mode=True)
    except binascii.Error:
        return None
    username, colon, password = decoded.partition(b":")
    return (username, password) if colon else None


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
