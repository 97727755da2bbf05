import pytest

from tests.support.pushed import PushHouse


@pytest.fixture
def house() -> PushHouse:
    return PushHouse()


@pytest.fixture
async def open_house(house) -> PushHouse:
    """Give one whose run is open: its first result, `opener`, is held."""
    await house.accept("opener")
    await house.tick()
    house.board.calls.clear()
    house.board.posts.clear()
    return house
