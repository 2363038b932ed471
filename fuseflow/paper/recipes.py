"""From the declared points to models, schedules and machines."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from fuseflow.datasets import GraphData, altered_twin, load
from fuseflow.einsum import Product, Program
from fuseflow.errors import ScheduleError
from fuseflow.estimate.statistics import Sparsity, draw
from fuseflow.formats import FiberTree
from fuseflow.models import Model, attention, from_text, gcn, gpt3_kernel, graphsage, sae
from fuseflow.paper.experiment import Base, Kind, ModelSpec, Point, ScheduleSpec
from fuseflow.paper.memory import give_back
from fuseflow.schedule import Iteration, Region, Schedule
from fuseflow.schedule.presets import layers
from fuseflow.sim import Machine
from fuseflow.sim.memory import Memory

ALTERED = ("exponent", "citing")
"""Arguments of a graph network that change one thing of its twin (:func:`fuseflow.datasets.altered_twin`)."""

_held: dict[ModelSpec, Model] = {}


def build_model(spec: ModelSpec) -> Model:
    """The model of ``spec``, with its data; the last one is held, for the next schedule of the same model.

    It is let go before another one is made, so that there are never two in memory.
    """
    if spec not in _held:
        release_model()
        _held[spec] = _build(spec)
    return _held[spec]


def is_held(spec: ModelSpec) -> bool:
    """Whether the model of ``spec`` is there already."""
    return spec in _held


def release_model() -> None:
    """Let go of the model that is held, and of the memory it took."""
    _held.clear()
    give_back()


def _build(spec: ModelSpec) -> Model:
    arguments: dict[str, Any] = dict(spec.arguments)
    match spec.kind:
        case Kind.GCN | Kind.GRAPHSAGE:
            name = arguments.pop("dataset")
            changes = {item: arguments.pop(item) for item in ALTERED if item in arguments}
            data = altered_twin(name, seed=spec.data_seed, **changes) if changes else load(name, seed=spec.data_seed)
            if "nodes" in arguments:
                data = first_nodes(data, arguments.pop("nodes"))
            return (gcn if spec.kind is Kind.GCN else graphsage)(data, seed=spec.data_seed, **arguments)
        case Kind.SAE:
            folder = arguments.pop("folder", None)
            return sae(arguments.pop("dataset"), folder=folder, seed=spec.data_seed, **arguments)
        case Kind.ATTENTION:
            return attention(seed=spec.data_seed, **arguments)
        case Kind.SCORES:
            return _scores(spec)
        case Kind.DECODER_KERNEL:
            return gpt3_kernel(seed=spec.data_seed, **arguments)
        case Kind.PATTERN_GCN:
            return _pattern_gcn(spec)
        case Kind.NESTED_MATMUL:
            return _nested_matmul(spec)


def first_nodes(data: GraphData, count: int) -> GraphData:
    """A connected part of ``count`` nodes: the first met in breadth from the node with most neighbours.

    What the fast mode takes of a graph. No node of it is without neighbours, as none is in the whole.
    """
    degrees = np.diff(data.adjacency.indptr)
    either = sparse.csr_array(data.adjacency + data.adjacency.T)
    met = csgraph.breadth_first_order(either, int(degrees.argmax()), directed=False, return_predecessors=False)
    kept = np.sort(met[:count])
    features = data.features[kept]
    return GraphData(
        f"{data.name}, {len(kept)} nodes",
        data.synthetic,
        sparse.csr_array(data.adjacency[kept][:, kept]),
        data.labels[kept],
        data.classes,
        data.source,
        lambda: features,
    )


def drawn_adjacency(spec: ModelSpec) -> FiberTree:
    """The adjacency of a ``PATTERN_GCN``: ``nodes``, ``density`` and ``pattern``."""
    nodes = int(spec["nodes"])
    tensor = from_text(f"A[{nodes},{nodes}]: cc\nY[i,j] = relu(A[i,j])", A=sparse.eye_array(nodes)).program.tensor("A")
    # The name seeds the drawing: another name per seed is another graph of the same law.
    named = replace(tensor, name=f"adjacency {spec.data_seed}")
    return draw(named, float(spec["density"]), Sparsity.of(str(spec["pattern"])))


def _pattern_gcn(spec: ModelSpec) -> Model:
    """A GCN whose adjacency is drawn, with ``features`` (FuseFlow Fig. 15)."""
    nodes, width = int(spec["nodes"]), int(spec["features"])
    dense = drawn_adjacency(spec).to_dense()
    generator = np.random.default_rng(spec.data_seed)
    features = sparse.csr_array(generator.standard_normal((nodes, width)).astype(np.float32))
    data = GraphData(
        f"{spec['pattern']} {1 - float(spec['density']):.0%}",
        True,
        sparse.csr_array(dense),
        np.zeros(nodes, np.int32),
        int(spec["classes"]),
        f"drawn, {spec['pattern']}, seed {spec.data_seed}",
        lambda: features,
    )
    return gcn(data, weight_sparsity=float(spec["weight_sparsity"]), seed=spec.data_seed)


def _scores(spec: ModelSpec) -> Model:
    """Q·K of one head, ``sequence`` x ``width``, dense, keys stored transposed: the artifact's scores."""
    sequence, width = int(spec["sequence"]), int(spec["width"])
    generator = np.random.default_rng(spec.data_seed)
    text = f"Q[{sequence},{width}]: dd\nK[{width},{sequence}]: dd\nS[m,n] = Q[m,d] * K[d,n]"
    queries = generator.standard_normal((sequence, width)).astype(np.float32)
    keys = generator.standard_normal((width, sequence)).astype(np.float32)
    return from_text(text, Q=queries, K=keys)


def _nested_matmul(spec: ModelSpec) -> Model:
    """T = (A·B)·C on KarateClub (FuseFlow Fig. 18): A compressed, B stored dense with 90 % zeros, C compressed.

    Operands are stored so that ``order`` (of i, k, j, l) contradicts none of them.
    """
    adjacency = load("karate").adjacency
    generator = np.random.default_rng(spec.data_seed)
    zeros = float(spec["sparsity"])
    middle = generator.standard_normal((34, 34)) * (generator.random((34, 34)) >= zeros)
    width = int(spec["columns"])
    last = generator.standard_normal((34, width)) * (generator.random((34, width)) >= zeros)
    order = str(spec["order"])

    def stored(first: str, second: str) -> str:
        return "" if order.index(first) < order.index(second) else ":1,0"

    text = (
        f'A[34,34]: "cc{stored("i", "k")}"\nB[34,34]: "dd{stored("k", "j")}"\nC[34,{width}]: "cc{stored("j", "l")}"\n'
        f'Y[34,{width}]: "cc{stored("i", "l")}"\n'
        "T[i,j] = A[i,k] * B[k,j]\nY[i,l] = T[i,j] * C[j,l]\nreturn Y"
    )
    return from_text(text, A=adjacency, B=middle.astype(np.float32), C=sparse.csr_array(last.astype(np.float32)))


def build_schedule(spec: ScheduleSpec, program: Program) -> Schedule:
    """The schedule of ``spec`` for ``program``."""
    found = Schedule(str(spec), _BASES[spec.base](program))
    if spec.order is not None:
        found = Schedule(found.name, tuple(replace(region, order=spec.order) for region in found.regions))
    found = found.with_lanes(*spec.lanes) if spec.lanes else found
    return found.with_blocks(spec.blocks) if spec.blocks else found


def _one_layer(program: Program, number: int) -> tuple[Region, ...]:
    """Layer ``number`` fused, the others unfused."""
    names = set(list(layers(program).values())[number])
    fused = [region for region in Schedule.partial(program).regions if set(region.statements) & names]
    if len(fused) != 1 or set(fused[0].statements) != names:
        raise ScheduleError(f"layer {number} of this program is no region of its own; take a model with layers")
    rest = [region for region in Schedule.unfused(program).regions if not set(region.statements) & names]
    place = [statement.name for statement in program.computations]
    return tuple(sorted((*fused, *rest), key=lambda region: place.index(region.statements[0])))


def _expressions(program: Program, iteration: Iteration) -> tuple[Region, ...]:
    """Products that feed products joined into one region each, other kernels alone (compilers before FuseFlow)."""
    joined: list[Region] = []
    for region in Schedule.unfused(program).regions:
        single = region.statements[0] if len(region.statements) == 1 else None
        if single is not None and isinstance(program.statement(single).expression, Product) and joined:
            last = joined[-1]
            reads = {access.tensor for access in program.statement(single).operands}
            chain = all(isinstance(program.statement(name).expression, Product) for name in last.statements)
            if chain and last.statements[-1] in reads:
                joined[-1] = Region(last.name, (*last.statements, single), iteration=iteration)
                continue
        joined.append(region)
    return tuple(joined)


_BASES: dict[Base, Callable[[Program], tuple[Region, ...]]] = {
    Base.UNFUSED: lambda program: Schedule.unfused(program).regions,
    Base.PARTIAL: lambda program: Schedule.partial(program).regions,
    Base.FULL: lambda program: Schedule.full(program).regions,
    Base.FIRST: lambda program: _one_layer(program, 0),
    Base.LAST: lambda program: _one_layer(program, -1),
    Base.EXPRESSION: lambda program: _expressions(program, Iteration.FACTORED),
    Base.EXPRESSION_GLOBAL: lambda program: _expressions(program, Iteration.GLOBAL),
}


def build_machine(point: Point) -> Machine:
    """The reference's machine, its memory model on or off, its tile units as the paper has them or not."""
    machine = Machine.equal_throughput() if point.equal_throughput else Machine()
    return replace(machine, memory=Memory.hbm()) if point.hbm else machine
