"""The frames of one WebSocket: whole messages in, whole messages out, and a proper end."""

from picows import WSFrame, WSListener, WSMsgType, WSTransport
from picows.picows import WSCloseHandshake

from syncsvc.adapters.testsync.messages import Fragments, close_answer

TEXT, BINARY = WSMsgType.TEXT, WSMsgType.BINARY
CLOSE, PING, PONG = WSMsgType.CLOSE, WSMsgType.PING, WSMsgType.PONG
LARGEST_MESSAGE = 32 * 1024 * 1024
UNREAD_LIMIT = 8 * 1024 * 1024  # bytes that a peer may leave unread beside one large message
LARGE = 1024 * 1024
LONGEST_SILENCE = 6  # pings without any frame from the peer, after which it is gone


class Socket(WSListener):
    """One WebSocket."""

    __slots__ = ("_congested", "_fragments", "_large", "_left", "_silent", "open", "transport")

    def __init__(self) -> None:
        self.open = False
        self.transport: WSTransport
        self._silent = 0
        self._congested = False
        self._large = 0  # bytes of the last large message, until the peer has read all
        self._left = 0  # bytes unread when we looked last
        self._fragments: Fragments | None = None

    def receive(self, payload: bytes) -> None:
        """Take a message."""
        raise NotImplementedError

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self.open = True
        transport.request.headers.clear()  # they are a kilobyte that nobody reads again

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind is CLOSE:
            self._answer_close(frame)
            return
        if not self.open:
            return
        self._silent = 0
        if (
            (kind is TEXT or kind is BINARY)
            and frame.fin
            and self._fragments is None
            and not (frame.rsv1 or frame.rsv2 or frame.rsv3)
        ):
            self.receive(frame.get_payload_as_bytes())
        else:
            self._receive_other(kind, frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.open = False

    def pause_writing(self) -> None:
        self._congested = True

    def resume_writing(self) -> None:
        self._congested = False
        self._large = self._left = 0

    def send(self, payload: bytes, kind: WSMsgType = TEXT) -> None:
        """Send a message, unless the peer has left too much unread: then it is dropped."""
        if not self.open:
            return
        if self._congested and self._unread() > UNREAD_LIMIT + self._large:
            self.drop()
            return
        if len(payload) > LARGE:
            self._large = len(payload)
        self.transport.send(kind, payload)

    def close(self, code: int, reason: str) -> None:
        """Say goodbye; the peer's answer ends the connection, or else we do, soon."""
        if self.open:
            self.open = False
            self._silent = LONGEST_SILENCE - 1
            said = reason.encode()[:120].decode(errors="ignore")
            self.transport.send(CLOSE, code.to_bytes(2) + said.encode())

    def drop(self) -> None:
        """End the connection now, whatever is still unsent."""
        self.open = False
        self.transport.disconnect(graceful=False)

    def is_alive(self) -> bool:
        """Ping the peer, and tell whether it was heard, or read, since the last few pings."""
        if self._congested and self._reads_on():
            self._silent = 0
        self._silent += 1
        if self._silent > LONGEST_SILENCE:
            return False
        if not self._congested:  # it would arrive behind all that is unread
            self.send(b"ping", PING)
        return True

    def said_farewell(self) -> bool:
        """Tell whether the peer closed the connection properly."""
        shaken: WSCloseHandshake | None = self.transport.close_handshake
        return shaken is not None and shaken.recv is not None

    def _reads_on(self) -> bool:
        before, self._left = self._left, self._unread()
        return self._left < before

    def _unread(self) -> int:
        return self.transport.underlying_transport.get_write_buffer_size()

    def _receive_other(self, kind: WSMsgType, frame: WSFrame) -> None:
        if reserved := _reserved(frame):
            self.close(1002, reserved)
        elif kind is PING:
            self.send(frame.get_payload_as_bytes(), PONG)
        elif kind is not PONG:
            self._receive_fragment(kind, frame)

    def _receive_fragment(self, kind: WSMsgType, frame: WSFrame) -> None:
        begins = kind is not WSMsgType.CONTINUATION
        if begins is (self._fragments is not None):
            self.close(1002, "data before FIN" if begins else "continuation after FIN")
            return
        fragments = self._fragments = self._fragments or Fragments(LARGEST_MESSAGE)
        if not fragments.add(frame.get_payload_as_bytes()):
            self._fragments = None
            self.close(1009, f"expected at most {LARGEST_MESSAGE} bytes, found more")
        elif frame.fin:
            self._fragments = None
            self.receive(fragments.joined())

    def _answer_close(self, frame: WSFrame) -> None:
        if self.open:
            self.open = False
            self.transport.send(CLOSE, close_answer(frame.get_payload_as_bytes()))
        self.transport.disconnect()


def _reserved(frame: WSFrame) -> str:
    bits = (frame.rsv1, frame.rsv2, frame.rsv3)
    return ", ".join(f"RSV{n} set" for n, bit in enumerate(bits, start=1) if bit)
