"""The machine: every timing constant of the simulator, as data.

The preset values are the reference simulator's (simulator rules 1.6 and 3.24, scalar column). Another machine is
another value of :class:`Machine`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from math import inf
from numbers import Real
from operator import index
from typing import SupportsIndex

from fuseflow.errors import SimulationError
from fuseflow.sim.memory import Memory
from fuseflow.sim.ranges import check_ranges

MOST_TOKENS = 1 << 40
"""Largest depth of a stream; no memory holds more."""

BROADCAST_OF = "broadcast of "
"""How the unit is called that copies a stream to several readers."""


@dataclass(frozen=True, slots=True)
class ScannerTiming:
    """Timing of a compressed level scanner (simulator rules 1.6 and 3.1)."""

    startup_delay_cycles: int = 0
    data_load_factor: float = 0.0
    initial_delay_cycles: int = 0
    output_latency_cycles: int = 1
    sequential_interval_cycles: int = 1
    miss_latency_cycles: int = 0
    row_size: int = 4

    def __post_init__(self) -> None:
        check_ranges("a scanner", self, {each.name: int(each.name == "row_size") for each in fields(ScannerTiming)})


@dataclass(frozen=True, slots=True)
class BlockTiming:
    """``latency_cycles`` from turn to stamp of the result, ``interval_cycles`` from turn to turn."""

    latency_cycles: int = 1
    interval_cycles: int = 1

    def __post_init__(self) -> None:
        check_ranges("a block", self, {"latency_cycles": 0, "interval_cycles": 0})

    @property
    def control_cycles(self) -> int:
        """Cycles of a turn that handles a stop or ``N``."""
        return self.interval_cycles


@dataclass(frozen=True, slots=True)
class TileTiming:
    """How wide the units for tiles are (values of a blocked graph); the two conventions of ``docs/fidelity.md``.

    ``None`` is the paper's convention (simulator rule 3.24, true blocks): a lane for every element of a tile, so that
    a product of N x N tiles takes N cycles (latency 2 N - 1), and everything else, memory included, a cycle per tile.
    Otherwise ALUs, reductions and accumulators do ``macs_per_cycle`` multiply-adds a cycle, and arrays and value
    writers move ``words_per_cycle`` numbers: with 1 and 1 what a machine without blocks does. Coordinates, references
    and the streams between units are not concerned: a token a cycle, whatever it holds.
    """

    macs_per_cycle: int | None = None
    words_per_cycle: int | None = None

    def __post_init__(self) -> None:
        for name in ("macs_per_cycle", "words_per_cycle"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SimulationError(f"{name} of a machine must be 1 or more, not {value}; None is a lane per element")

    def __str__(self) -> str:
        if self == TileTiming():
            return "a lane per element (the paper's)"
        if self == TileTiming(1, 1):
            return "equal throughput (1 multiply-add and 1 word per cycle)"
        macs = "a lane per element" if self.macs_per_cycle is None else f"{self.macs_per_cycle} multiply-adds per cycle"
        words = "a tile" if self.words_per_cycle is None else f"{self.words_per_cycle} words"
        return f"{macs}, {words} per cycle from memory"


@dataclass(frozen=True, slots=True)
class TurnTiming:
    """Cycles of the turns that the reference simulator does for nothing (simulator rule 8.2-11); its values are 0.

    ``flush_cycles`` per value that a sparse accumulator sends, ``pass_cycles`` per inner token that a coordinate drop
    passes, ``broadcast_cycles`` per token that a broadcast copies, ``skip_cycles`` per token that a reduce or a writer
    skips (``N``; repeated stops at a coordinate writer; every stop at a value writer).
    """

    flush_cycles: int = 0
    pass_cycles: int = 0
    broadcast_cycles: int = 0
    skip_cycles: int = 0

    def __post_init__(self) -> None:
        check_ranges("a machine", self, {each.name: 0 for each in fields(TurnTiming)})


@dataclass(frozen=True, slots=True)
class Machine:
    """A streaming dataflow machine.

    ``channel_capacity`` is the depth of every stream in tokens, or ``None`` for unbounded streams (the default, and in
    effect the reference's: it uses 10 240 000); ``depths`` says otherwise for single streams (see :meth:`with_depth`).
    ``turns`` gives a cost to what the reference does for nothing. ``array``, ``binary``, ``unary`` and ``reduce`` give
    the timing of values; stops and other control tokens always have latency 1. ``product`` is the timing of products
    that a reduction or an accumulator adds up (matrix products, where a number stands for a block); ``None`` says as
    ``binary``. ``tiles`` says how wide the units are where values are tiles. ``memory`` is ideal unless given. The
    result of a maximum always has latency 1 (simulator rule 3.16).
    """

    name: str = "comal"
    channel_capacity: int | None = None
    scanner: ScannerTiming = field(default_factory=ScannerTiming)
    array: BlockTiming = field(default_factory=BlockTiming)
    binary: BlockTiming = field(default_factory=BlockTiming)
    unary: BlockTiming = field(default_factory=BlockTiming)
    reduce: BlockTiming = field(default_factory=BlockTiming)
    clock_hz: float = 1e9
    value_bytes: int = 4
    coordinate_bytes: int = 4
    product: BlockTiming | None = None
    memory: Memory = field(default_factory=Memory.ideal)
    turns: TurnTiming = field(default_factory=TurnTiming)
    depths: tuple[tuple[str, int], ...] = ()
    tiles: TileTiming = field(default_factory=TileTiming)

    def __post_init__(self) -> None:
        check_ranges("a machine", self, {"value_bytes": 1, "coordinate_bytes": 1})
        is_number = isinstance(self.clock_hz, Real)
        if is_number and not 0 < self.clock_hz < inf:
            raise SimulationError(f"clock_hz of a machine must be above 0 and finite, not {self.clock_hz}")
        # NumPy integers become plain ones, as a depth taken from the table of fifo_report is one
        if self.channel_capacity is not None:
            object.__setattr__(self, "channel_capacity", _depth("channel_capacity", self.channel_capacity))
        depths = tuple((stream, _depth(f"the depth of {stream!r}", depth)) for stream, depth in self.depths)
        object.__setattr__(self, "depths", depths)

    def with_depth(self, stream: str, depth: int) -> "Machine":
        """This machine with a depth of ``depth`` tokens for one stream.

        ``stream`` is an output port, ``"array_A.val"``: all channels that carry what leaves it, to a broadcast and
        from there to its readers; or one channel, ``"array_A.val -> sub.a"``, which goes before the other form.
        """
        return self.with_depths({stream: depth})

    def with_depths(self, depths: Mapping[str, int]) -> "Machine":
        """As :meth:`with_depth`, for several streams."""
        if not isinstance(depths, Mapping):
            raise SimulationError(
                f"depths must be a mapping from streams to numbers of tokens, not {depths!r:.60} "
                f"({type(depths).__name__}); for example {{'array_A.val': 4}}"
            )
        return replace(self, depths=tuple({**dict(self.depths), **depths}.items()))

    def capacity(self, source: str, target: str) -> int | None:
        """Depth of the channel from ``source`` to ``target``; ``None`` if it is unbounded.

        Each end is a port, or ``"broadcast of <port>"``.
        """
        for name, depth in self.depths:
            if name == f"{source} -> {target}":
                return depth
        stream = source.removeprefix(BROADCAST_OF)
        for name, depth in self.depths:
            if name in (stream, f"{stream} -> {target}"):
                return depth
        return self.channel_capacity

    @property
    def has_depths(self) -> bool:
        """Whether any stream is bounded."""
        return self.channel_capacity is not None or bool(self.depths)

    @classmethod
    def pipelined(cls) -> "Machine":
        """The default machine, but turns that the reference does for nothing (simulator rule 8.2-11) cost a cycle."""
        return cls(name="comal pipelined", turns=TurnTiming(1, 1, 1, 1))

    @classmethod
    def equal_throughput(cls) -> "Machine":
        """The default machine; for a tile its units take a cycle per multiply-add, or per word of memory."""
        return cls(name="comal equal throughput", tiles=TileTiming(1, 1))

    @classmethod
    def scalar(cls) -> "Machine":
        """Scalar column of simulator rule 3.24: the default machine."""
        return cls()

    @classmethod
    def block(cls, size: int) -> "Machine":
        """Timing-only block column of simulator rule 3.24: a value token stands for ``size`` x ``size`` values.

        Values stay scalar float32, as in the reference's block modes.
        """
        area = _area(size)
        return cls(
            name=f"comal block {size}",
            array=BlockTiming(area),
            binary=BlockTiming(area),
            unary=BlockTiming(size),
            value_bytes=4 * area,
            product=BlockTiming(area, size),
        )

    @classmethod
    def true_block(cls, size: int) -> "Machine":
        """True block column of simulator rule 3.24 for graphs of numbers, each of which stands for a block.

        Graphs whose values are tiles have this timing on every machine (``tiles``), with the tiles' own sizes.
        """
        area = _area(size)
        return cls(
            name=f"comal true block {size}",
            array=BlockTiming(area),
            binary=BlockTiming(area),
            unary=BlockTiming(size),
            reduce=BlockTiming(area),
            value_bytes=4 * area,
            product=BlockTiming(2 * size - 1, size),
        )


def _depth(what: str, depth: SupportsIndex) -> int:
    try:
        number = 0 if isinstance(depth, bool) else index(depth)
    except TypeError:
        number = 0
    if number > MOST_TOKENS:
        raise SimulationError(f"{what} is at most {MOST_TOKENS} tokens, not {depth!r}; None leaves streams unbounded")
    if number < 1:
        raise SimulationError(f"{what} is a number of tokens, 1 or more, not {depth!r}; None leaves streams unbounded")
    return number


def _area(size: int) -> int:
    if size < 1:
        raise SimulationError(f"a block has a side of 1 or more, not {size}")
    return size * size
