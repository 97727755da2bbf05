"""The block of code that a task is in, and telling it to leave."""

import asyncio
from contextlib import suppress


class Block:
    """Begins where it is made, in the task that runs there."""

    def __init__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a block that may be ended is entered in a task")
        self._task = task
        self._before = task.cancelling()
        self._told = False

    def end(self) -> None:
        """Cancel what runs inside."""
        self._told = True
        self._task.cancel()

    async def was_left_for_us(self, error: BaseException | None) -> bool:
        """Say, at the end, whether `error` is our telling; one still on its way is used up."""
        if not self._told:
            return False
        others = self._task.uncancel() > self._before
        if isinstance(error, asyncio.CancelledError):
            return not others
        if not others:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
        return False
