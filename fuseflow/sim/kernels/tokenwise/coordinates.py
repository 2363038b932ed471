"""Drop, hold, mask and flatten (rules 3.19, 3.20 and 3.23, repaired). Inputs: the outer level, the inner one, ref."""

from typing import Final

from fuseflow.dataflow.blocks import Comparison
from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.faults import (
    INNER_AND_REF,
    NO_COORDINATE,
    OUT_OF_FACTOR,
    OUTER_AND_INNER,
)
from fuseflow.sim.kernels.tokenwise.layout import DONE, EMPTY, PHASE, TOKENS, Memory, P, R
from fuseflow.sim.kernels.tokenwise.ops import fault, fault_beyond, finish, peek, send, take, tick

COMPARISON_CODES: Final = {
    Comparison.LESS: 0,
    Comparison.LESS_EQUAL: 1,
    Comparison.EQUAL: 2,
    Comparison.NOT_EQUAL: 3,
    Comparison.GREATER_EQUAL: 4,
    Comparison.GREATER: 5,
}


@kernel
def coord_drop(m: Memory, s: int, e: int) -> int:
    """P: cycles of an inner token (0 in the reference). R: no coordinate yet in this outer fiber, the inner fiber kept
    one. Phase 1 has the outer head, 2 a token of its inner fiber, 3 the inner stop of an empty outer fiber, 4 the D."""
    phase = m[s + PHASE]
    outer, inner = m[m[s + TOKENS]], m[m[s + TOKENS] + 1]
    if phase == 0:
        m[s + R] = 1
    elif phase == 1:
        if outer >= 0:
            m[s + R], m[s + R + 1] = 0, 0
            m[s + PHASE] = 2
        elif outer == EMPTY:
            return fault(m, s, NO_COORDINATE, 0, -1)
        elif outer == DONE:
            m[s + PHASE] = 4
        elif m[s + R] != 0:
            m[s + PHASE] = 3
        else:
            e = take(m, s, send(m, s, e, 0, outer, 1), 0)
            m[s + R] = 1
            return peek(m, s, tick(m, e, 1), 0)
        return take(m, s, e, 1)
    elif phase == 2:
        if inner <= EMPTY:
            return fault(m, s, OUTER_AND_INNER, 0, 1)
        e = send(m, s, e, 1, inner, 1)
        if m[s + P] > 0:
            e = tick(m, e, m[s + P])
        if inner >= 0:
            m[s + R + 1] = 1
            return take(m, s, e, 1)
        if m[s + R + 1] != 0:
            e = send(m, s, e, 0, outer, 1)
        e = tick(m, take(m, s, e, 0), 1)
    elif phase == 3:
        if inner != outer - 1:
            return fault(m, s, OUTER_AND_INNER, 0, 1)
        e = send(m, s, e, 1, inner, 1)
        e = take(m, s, send(m, s, e, 0, outer, 1), 0)
        m[s + R] = 1
        e = tick(m, e, 1)
    else:
        if inner != DONE:
            return fault(m, s, OUTER_AND_INNER, 0, 1)
        return finish(m, send(m, s, send(m, s, e, 1, DONE, 1), 0, DONE, 1))
    m[s + PHASE] = 1
    return peek(m, s, e, 0)


@kernel
def coord_hold(m: Memory, s: int, e: int) -> int:
    """R: the outer fiber has ended, but its stop is still to be taken. Phase 1 has the outer head and an inner token, 2
    the outer head behind a stop."""
    phase = m[s + PHASE]
    if phase != 0:
        outer, inner = m[m[s + TOKENS]], m[m[s + TOKENS] + 1]
        if phase == 1:
            e = send(m, s, e, 1, inner, 1)
            if EMPTY < outer < 0 and (inner >= 0 or (m[s + R] != 0 and inner > EMPTY)):
                m[s + PHASE] = 2
                return peek(m, s, take(m, s, e, 0), 0)
        if inner >= 0:
            if outer < 0:
                return fault(m, s, OUTER_AND_INNER, 0, 1)
            e = send(m, s, e, 0, outer, 1)
            m[s + R] = 0
        elif inner > EMPTY:
            if outer == DONE or (EMPTY < outer < 0 and inner != outer - 1):
                return fault(m, s, OUTER_AND_INNER, 0, 1)
            e = send(m, s, e, 0, inner, 1)
            if outer >= 0:
                e = take(m, s, e, 0)
            m[s + R] = 1 if EMPTY < outer < 0 or inner < -1 else 0
        elif inner == DONE and outer < 0:
            return finish(m, send(m, s, e, 0, DONE, 1))
        else:
            return fault(m, s, OUTER_AND_INNER, 0, 1)
        e = tick(m, e, 1)
    m[s + PHASE] = 1
    return take(m, s, peek(m, s, e, 0), 1)


@kernel
def is_masked(code: int, outer: int, inner: int) -> bool:
    """``code`` as in COMPARISON_CODES."""
    if code == 0:
        return outer < inner
    if code == 1:
        return outer <= inner
    if code == 2:
        return outer == inner
    if code == 3:
        return outer != inner
    if code == 4:
        return outer >= inner
    return outer > inner


@kernel
def coord_mask(m: Memory, s: int, e: int) -> int:
    """P: comparison. R: ``fresh``, ``kept``, ``held``. Phase 2 has the outer head behind a stop that ended a fiber."""
    phase = m[s + PHASE]
    if phase == 0:
        m[s + R] = 1
    else:
        outer, inner, ref = m[m[s + TOKENS]], m[m[s + TOKENS] + 1], m[m[s + TOKENS] + 2]
        if (ref < 0 and ref != EMPTY) if inner >= 0 else ref != inner:
            return fault(m, s, INNER_AND_REF, 1, 2)
        stopped = EMPTY < outer < 0
        if phase == 1 and stopped and m[s + R] == 0:
            m[s + R] = 1
            m[s + PHASE] = 2
            return peek(m, s, take(m, s, send(m, s, e, 0, outer, 1), 0), 0)
        if inner >= 0 and outer >= 0:
            m[s + R] = 0
            if not is_masked(m[s + P], outer, inner):
                if m[s + R + 2] != 0:
                    e = send(m, s, send(m, s, e, 1, -1, 1), 2, -1, 1)
                    m[s + R + 2] = 0
                e = send(m, s, send(m, s, e, 1, inner, 1), 2, ref, 1)
                m[s + R + 1] = 1
        elif EMPTY < inner < 0 and outer > EMPTY:
            if stopped and inner != outer - 1:
                return fault(m, s, OUTER_AND_INNER, 0, 1)
            if m[s + R + 1] != 0 or stopped:
                e = send(m, s, e, 0, outer, 1)
            if inner < -1:
                e = send(m, s, send(m, s, e, 1, inner, 1), 2, inner, 1)
                m[s + R + 2] = 0
            elif m[s + R + 1] != 0:
                m[s + R + 2] = 1
            e = take(m, s, e, 0)
            m[s + R] = 1 if stopped else 0
            m[s + R + 1] = 0
        elif inner == DONE and outer == DONE:
            e = send(m, s, send(m, s, e, 1, DONE, 1), 2, DONE, 1)
            return finish(m, send(m, s, e, 0, DONE, 1))
        else:
            return fault(m, s, OUTER_AND_INNER, 0, 1)
        e = tick(m, e, 1)
    m[s + PHASE] = 1
    return take(m, s, take(m, s, peek(m, s, e, 0), 1), 2)


@kernel
def flatten(m: Memory, s: int, e: int) -> int:
    """P: factor. Phase 2 has the outer stop that ends with the inner one."""
    phase = m[s + PHASE]
    if phase != 0:
        outer, inner = m[m[s + TOKENS]], m[m[s + TOKENS] + 1]
        if phase == 1:
            if inner >= 0 and outer >= 0:
                if inner >= m[s + P]:
                    return fault_beyond(m, s, OUT_OF_FACTOR, 1, m[s + P])
                e = send(m, s, e, 0, outer * m[s + P] + inner, 1)
            elif EMPTY < inner < 0 and outer > EMPTY:
                e = take(m, s, e, 0)
                if outer < 0 or inner < -1:
                    m[s + PHASE] = 2
                    return take(m, s, e, 0) if outer >= 0 else e
            elif inner == DONE and outer == DONE:
                return finish(m, send(m, s, take(m, s, e, 0), 0, DONE, 1))
            else:
                return fault(m, s, OUTER_AND_INNER, 0, 1)
        elif EMPTY < outer < 0:
            if inner != outer - 1:
                return fault(m, s, OUTER_AND_INNER, 0, 1)
            e = send(m, s, e, 0, outer, 1)
        e = tick(m, e, 1)
    m[s + PHASE] = 1
    return take(m, s, peek(m, s, e, 0), 1)
