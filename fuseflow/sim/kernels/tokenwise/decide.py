"""From the kind of a unit to its decision."""

from fuseflow.sim.kernels.tokenwise import layout
from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.accumulate import sum_many, sum_one
from fuseflow.sim.kernels.tokenwise.alu import binary, unary
from fuseflow.sim.kernels.tokenwise.array import array
from fuseflow.sim.kernels.tokenwise.broadcast import broadcast
from fuseflow.sim.kernels.tokenwise.concat import concat
from fuseflow.sim.kernels.tokenwise.coordinates import coord_drop, coord_hold, coord_mask, flatten
from fuseflow.sim.kernels.tokenwise.drop import stop_drop, value_drop
from fuseflow.sim.kernels.tokenwise.join import join
from fuseflow.sim.kernels.tokenwise.lanes import fork, gather, gather_guarded
from fuseflow.sim.kernels.tokenwise.layout import KIND, Memory
from fuseflow.sim.kernels.tokenwise.locate import locate
from fuseflow.sim.kernels.tokenwise.reduce import reduce
from fuseflow.sim.kernels.tokenwise.repeat import repeater, signal
from fuseflow.sim.kernels.tokenwise.scan import scan, scan_dense
from fuseflow.sim.kernels.tokenwise.source import sink, source
from fuseflow.sim.kernels.tokenwise.stored import array_stored, scan_stored, write_crd_stored, write_val_stored
from fuseflow.sim.kernels.tokenwise.write import write_crd, write_val


@kernel
def decide(m: Memory, s: int, e: int) -> int:
    """Let the block of the unit at ``s`` write the operations of its next turn from ``e`` on."""
    kind = m[s + KIND]
    if kind == layout.SCAN:
        return scan(m, s, e)
    if kind == layout.SCAN_DENSE:
        return scan_dense(m, s, e)
    if kind == layout.REPEATER:
        return repeater(m, s, e)
    if kind == layout.SIGNAL:
        return signal(m, s, e)
    if kind == layout.ARRAY:
        return array(m, s, e)
    if kind == layout.BINARY:
        return binary(m, s, e)
    if kind == layout.BROADCAST:
        return broadcast(m, s, e)
    if kind == layout.JOIN:
        return join(m, s, e)
    if kind == layout.REDUCE:
        return reduce(m, s, e)
    if kind == layout.SUM_ONE:
        return sum_one(m, s, e)
    if kind == layout.UNARY:
        return unary(m, s, e)
    if kind == layout.LOCATE:
        return locate(m, s, e)
    if kind == layout.WRITE_CRD:
        return write_crd(m, s, e)
    if kind == layout.WRITE_VAL:
        return write_val(m, s, e)
    if kind == layout.SUM_MANY:
        return sum_many(m, s, e)
    if kind == layout.SOURCE:
        return source(m, s, e)
    if kind == layout.SINK:
        return sink(m, s, e)
    if kind == layout.SCAN_STORED:
        return scan_stored(m, s, e)
    if kind == layout.ARRAY_STORED:
        return array_stored(m, s, e)
    if kind == layout.WRITE_CRD_STORED:
        return write_crd_stored(m, s, e)
    if kind == layout.WRITE_VAL_STORED:
        return write_val_stored(m, s, e)
    if kind == layout.COORD_DROP:
        return coord_drop(m, s, e)
    if kind == layout.COORD_HOLD:
        return coord_hold(m, s, e)
    if kind == layout.COORD_MASK:
        return coord_mask(m, s, e)
    if kind == layout.FLATTEN:
        return flatten(m, s, e)
    if kind == layout.FORK:
        return fork(m, s, e)
    if kind == layout.GATHER:
        return gather(m, s, e)
    if kind == layout.GATHER_GUARDED:
        return gather_guarded(m, s, e)
    if kind == layout.CONCAT:
        return concat(m, s, e)
    if kind == layout.STOP_DROP:
        return stop_drop(m, s, e)
    return value_drop(m, s, e)
