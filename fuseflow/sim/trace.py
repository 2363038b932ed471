"""What a traced run shows: what every node did, interval by interval, and single tokens."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fuseflow.dataflow.fields import wrong_field
from fuseflow.errors import SimulationError

if TYPE_CHECKING:
    from fuseflow.sim.bottleneck import Bottleneck

WAITS = ("busy_cycles", "input_wait_cycles", "room_wait_cycles", "memory_wait_cycles")
TOKENS = ("kernel", "cycle", "node", "port", "token", "number")

MOST_CYCLES = 1 << 62
"""Later cycles cannot be counted."""


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """What to trace: a kernel is cut into ``intervals`` to twice as many intervals (fewer if it is shorter), of a power
    of two of cycles, which doubles as the kernel gets longer. ``tokens`` adds single tokens: those with
    ``window[0] <= cycle < window[1]``, or all; at most ``max_tokens`` per kernel, the rest is counted."""

    intervals: int = 400
    tokens: bool = False
    window: tuple[int, int] | None = None
    max_tokens: int = 1_000_000

    def __post_init__(self) -> None:
        fault = wrong_field(self, TraceOptions, "options of a trace")
        if fault is not None:
            raise SimulationError(f"{fault}; a window is (first cycle, cycle behind the last)")
        if self.max_tokens < 0:
            raise SimulationError(f"a trace keeps 0 tokens or more, not max_tokens={self.max_tokens}")
        if not 1 <= self.intervals <= 100_000:
            raise SimulationError(f"a trace has 1 to 100000 intervals, not {self.intervals}")
        if self.window is not None and not 0 <= self.window[0] < self.window[1] <= MOST_CYCLES:
            raise SimulationError(
                f"a window is (first cycle, cycle behind the last), not {self.window}; the last may be {MOST_CYCLES}"
            )


@dataclass(frozen=True, slots=True)
class Wire:
    """A channel of a kernel by the nodes at its ends; broadcasts are named as units."""

    source: str
    port: str
    target: str
    target_port: str


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """Neighbouring intervals of one kernel: column ``k`` is from ``start_cycle + k * width_cycles``.

    ``busy`` and ``memory`` have a row per unit, ``sent``, ``taken``, ``starved`` and ``full`` one per wire: tokens, and
    cycles that the reader waited for a token or the producer for room.
    """

    start_cycle: int
    width_cycles: int
    busy: NDArray[np.int64]
    memory: NDArray[np.int64]
    sent: NDArray[np.int64]
    taken: NDArray[np.int64]
    starved: NDArray[np.int64]
    full: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class KernelTrace:
    """The trace of one kernel: ``units`` are (unit, its node or ``None``), a node being shown by its last unit;
    ``total`` has the intervals from cycle 0."""

    kernel: str
    units: tuple[tuple[str, str | None], ...]
    wires: tuple[Wire, ...]
    cycles: int
    total: Slice
    tokens: pd.DataFrame
    tokens_dropped: int = 0

    def uniform(self) -> Slice:
        """All intervals up to the last cycle, and one more where a token is stamped behind it."""
        width = self.total.width_cycles
        count = -(-max(self.cycles, 1) // width) + 1
        found: dict[str, NDArray[np.int64]] = {}
        for name in ("busy", "memory", "sent", "taken", "starved", "full"):
            data: NDArray[np.int64] = getattr(self.total, name)[:, :count]
            found[name] = np.pad(data, ((0, 0), (0, count - data.shape[1])))
        used = count if any(table[:, -1].any() for table in found.values()) else count - 1
        return Slice(0, width, **{name: table[:, :used] for name, table in found.items()})


@dataclass(frozen=True, slots=True, eq=False)
class TraceFrame:
    """What became known of ``kernel`` since the frame before: rows of :func:`interval_table` and :func:`port_table`
    that are not all zero, between ``start_cycle`` and ``end_cycle``, and single tokens.

    Nodes of a simulation do not keep step: a later frame may have more for intervals of an earlier one, or for parts of
    its longer ones. Rows of one node and interval add up.
    """

    kernel: str
    start_cycle: int
    end_cycle: int
    intervals: pd.DataFrame
    ports: pd.DataFrame
    tokens: pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """A traced run. The tables are described at :func:`interval_table`, :func:`port_table` and :data:`TOKENS`."""

    kernels: tuple[KernelTrace, ...]
    _tables: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False)

    @property
    def intervals(self) -> pd.DataFrame:
        """A row per kernel, node and interval; the busy cycles of a node add up to its counter."""
        return self._table("intervals", [interval_table(kernel, kernel.uniform()) for kernel in self.kernels])

    @property
    def ports(self) -> pd.DataFrame:
        """A row per kernel, port and interval: tokens taken ("in") and sent ("out", by their stamps)."""
        return self._table("ports", [port_table(kernel, kernel.uniform()) for kernel in self.kernels])

    @property
    def tokens(self) -> pd.DataFrame:
        """Single tokens as they left their ports."""
        return self._table("tokens", [kernel.tokens for kernel in self.kernels])

    @property
    def tokens_dropped(self) -> int:
        """Tokens that were asked for but not kept."""
        return sum(kernel.tokens_dropped for kernel in self.kernels)

    def utilisation(self) -> pd.DataFrame:
        """Per kernel and node, the fractions of the kernel's cycles spent busy, waiting and idle."""
        sums = self.intervals.groupby(["kernel", "node"], sort=False, observed=True)[list(WAITS)].sum().reset_index()
        cycles = sums["kernel"].astype(object).map({item.kernel: max(item.cycles, 1) for item in self.kernels})
        cycles = cycles.astype(float)
        shares = pd.DataFrame({name.removesuffix("_cycles"): sums[name] / cycles for name in WAITS})
        shares["idle"] = (1.0 - shares.sum(axis=1)).clip(lower=0.0)
        return pd.concat([sums[["kernel", "node"]], shares], axis=1)

    def bottleneck(self) -> "Bottleneck":
        """What decides the cycles, in numbers and in words."""
        from fuseflow.sim.bottleneck import bottleneck

        return bottleneck(self)

    def perfetto(self, clock_hz: float = 1e9) -> dict[str, Any]:
        """The trace as a Chrome trace JSON object."""
        from fuseflow.sim.perfetto import chrome_trace

        return chrome_trace(self, clock_hz)

    def to_perfetto(self, path: str | Path, clock_hz: float = 1e9) -> Path:
        """Write the trace for https://ui.perfetto.dev; the path."""
        from fuseflow.sim.perfetto import write_chrome_trace

        return write_chrome_trace(self, path, clock_hz)

    def _table(self, name: str, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
        if name not in self._tables:
            self._tables[name] = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
        return self._tables[name]

    def __repr__(self) -> str:
        names = ", ".join(f"{kernel.kernel}: {kernel.cycles} cycles" for kernel in self.kernels)
        return f"Trace of {len(self.kernels)} kernels ({names})"


def node_rows(kernel: KernelTrace) -> dict[str, int]:
    """The row of each node: its last unit."""
    return {node: row for row, (_, node) in enumerate(kernel.units) if node is not None}


def waits(kernel: KernelTrace, part: Slice) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cycles that each unit waited for tokens and for room, by interval."""
    place = {unit: row for row, (unit, _) in enumerate(kernel.units)}
    tokens, room = np.zeros_like(part.busy), np.zeros_like(part.busy)
    for row, wire in enumerate(kernel.wires):
        if wire.target in place:
            tokens[place[wire.target]] += part.starved[row]
        room[place[wire.source]] += part.full[row]
    return tokens, room


def interval_table(kernel: KernelTrace, part: Slice, sparse: bool = False) -> pd.DataFrame:
    """Columns kernel, node, start_cycle, end_cycle, busy_cycles, input_wait_cycles, room_wait_cycles,
    memory_wait_cycles; with ``sparse`` without the rows in which all cycles are 0."""
    tokens, room = waits(kernel, part)
    rows = node_rows(kernel)
    picked = list(rows.values())
    tables = zip(WAITS, (part.busy, tokens, room, part.memory), strict=True)
    return _table(kernel, part, {"node": list(rows)}, {name: table[picked] for name, table in tables}, sparse)


def port_table(kernel: KernelTrace, part: Slice, sparse: bool = False) -> pd.DataFrame:
    """Columns kernel, node, port, direction, start_cycle, end_cycle, tokens; with ``sparse`` without the rows of 0."""
    node_of = dict(kernel.units)
    nodes: list[str] = []
    ports: list[str] = []
    directions: list[str] = []
    tokens: list[NDArray[np.int64]] = []
    for row, wire in enumerate(kernel.wires):
        for unit, port, direction, table in (
            (wire.source, wire.port, "out", part.sent),
            (wire.target, wire.target_port, "in", part.taken),
        ):
            node = node_of.get(unit)
            if node is not None and port:
                nodes.append(node)
                ports.append(port)
                directions.append(direction)
                tokens.append(table[row])
    counts = np.array(tokens, np.int64).reshape(len(nodes), part.busy.shape[1])
    names = {"node": nodes, "port": ports, "direction": directions}
    return _table(kernel, part, names, {"tokens": counts}, sparse)


def _table(
    kernel: KernelTrace,
    part: Slice,
    names: dict[str, list[str]],
    data: dict[str, NDArray[np.int64]],
    sparse: bool,
) -> pd.DataFrame:
    """A row per thing (of ``names``) and interval; ``data`` has a row per thing and a column per interval."""
    shape = next(iter(data.values())).shape
    shown = np.ones(shape, np.bool_)
    if sparse:
        shown = np.any([table != 0 for table in data.values()], axis=0)
    rows, intervals = np.nonzero(shown)
    starts = part.start_cycle + part.width_cycles * intervals
    columns: dict[str, object] = {"kernel": pd.Categorical.from_codes(np.zeros(len(rows), np.int8), [kernel.kernel])}
    for column, values in names.items():
        codes, labels = pd.factorize(np.array(values, dtype=object))
        columns[column] = pd.Categorical.from_codes(codes[rows], list(labels))
    columns["start_cycle"] = starts
    columns["end_cycle"] = starts + part.width_cycles
    columns |= {name: table[rows, intervals] for name, table in data.items()}
    return pd.DataFrame(columns)
