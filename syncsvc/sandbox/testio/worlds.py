"""TestIO as a whole: its customers by token, and the load they make."""

from dataclasses import dataclass, field

from syncsvc.sandbox.identities import TESTIO_TOKEN
from syncsvc.sandbox.testio.bodies import Bodies
from syncsvc.sandbox.testio.load import Load
from syncsvc.sandbox.testio.malformed import Malformed, Mischief
from syncsvc.sandbox.testio.rate import Meter
from syncsvc.sandbox.testio.recipe import Recipe
from syncsvc.sandbox.testio.world import World


@dataclass
class Customer:
    """Somebody with a token, a catalogue and a limit."""

    world: World
    bodies: Bodies
    meter: Meter = field(default_factory=Meter)

    def spoil(self, wished: Malformed) -> None:
        self.bodies.mischief = Mischief(wished)
        self.bodies.forget()


@dataclass
class TestIo:
    __test__ = False  # its name makes pytest curious

    recipe: Recipe = field(default_factory=Recipe)  # of the first world
    customers: dict[str, Customer] = field(default_factory=dict)
    load: Load = field(default_factory=Load)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew: the first world alone, unchanged."""
        self.customers.clear()
        self.load.clear()
        self.put(TESTIO_TOKEN, self.recipe)

    def put(self, token: str, recipe: Recipe) -> Customer:
        """Make a world, in place of the one that this token had."""
        world = World(recipe)
        self.customers[token] = Customer(world, Bodies(world))
        return self.customers[token]
