"""Workers publish to a topic, and read it from any place on."""

from dataclasses import dataclass, field

from syncsvc.coordination.names import check_name, subject
from syncsvc.coordination.once import once
from syncsvc.coordination.signals import Signals
from syncsvc.coordination.topics.model import Batch, Place, check_size
from syncsvc.coordination.topics.ports import Topics
from syncsvc.coordination.waiting import Look, Shared, wait_until_enough


@dataclass
class TopicService:
    """The topics of every run; both raise Rejected for names, and Unavailable."""

    topics: Topics
    signals: Signals
    _read: Shared[Place, Batch] = field(init=False)

    def __post_init__(self) -> None:
        self._read = Shared(self.topics.read)  # readers that wait at one place wake together

    async def publish(self, run: str, name: str, payload: str, request: str | None = None) -> int:
        """Publish JSON and give its offset. Raises TooLarge."""
        check_name("run", run)
        check_name("name", name)
        check_size(payload)
        return await self.topics.publish(run, name, payload, once("topic.publish", name, request))

    async def read(self, place: Place, seconds: float) -> Batch:
        """Wait until there is something after a place and give it; nothing if there is not."""
        check_name("run", place.run)
        check_name("name", place.name)

        async def look() -> Look[Batch]:
            batch = await self._read(place)
            return Look(batch, enough=bool(batch.entries))

        about = subject("topic", place.run, place.name)
        return await wait_until_enough(self.signals, about, seconds, look)
