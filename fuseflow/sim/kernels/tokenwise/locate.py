"""Locate (rule 3.21, with a parent where the dense level is not outermost)."""

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.faults import CRD_AND_PARENT, OUT_OF_EXTENT, REF_AND_CRD
from fuseflow.sim.kernels.tokenwise.layout import DONE, EMPTY, PHASE, TOKENS, Memory, P
from fuseflow.sim.kernels.tokenwise.ops import fault, fault_beyond, finish, peek, send, take, tick


@kernel
def locate(m: Memory, s: int, e: int) -> int:
    """P: extent, has a parent. Phase 1 has ref and crd, 2 the head of the parent, 3 the parent's stop."""
    phase = m[s + PHASE]
    if phase == 0:
        m[s + PHASE] = 1
        return take(m, s, take(m, s, e, 0), 1)
    ref, crd, parent = m[m[s + TOKENS]], m[m[s + TOKENS] + 1], m[m[s + TOKENS] + 2]
    located = crd
    if phase == 1:
        ref_held, crd_held = ref >= 0 or ref == EMPTY, crd >= 0 or crd == EMPTY
        if ref_held != crd_held or (not crd_held and ref != crd):
            return fault(m, s, REF_AND_CRD, 0, 1)
        if crd >= m[s + P]:
            return fault_beyond(m, s, OUT_OF_EXTENT, 1, m[s + P])
        if m[s + P + 1]:
            m[s + PHASE] = 2
            return peek(m, s, e, 2)
    elif phase == 2:
        held = parent >= 0 or parent == EMPTY
        if crd >= 0 or crd == EMPTY:
            if not held:
                return fault(m, s, CRD_AND_PARENT, 1, 2)
            located = parent * m[s + P] + crd if crd >= 0 and parent >= 0 else EMPTY
        elif crd == DONE:
            if parent != DONE:
                return fault(m, s, CRD_AND_PARENT, 1, 2)
            e = take(m, s, e, 2)
        else:
            if held:
                e = take(m, s, e, 2)
            if not held or crd < -1:
                m[s + PHASE] = 3
                return take(m, s, e, 2)
    elif parent != crd + 1 or parent >= 0:
        return fault(m, s, CRD_AND_PARENT, 1, 2)
    e = send(m, s, e, 0, located, 1)
    e = send(m, s, e, 1, ref, 1)
    e = send(m, s, e, 2, crd, 1)
    if ref == DONE:
        return finish(m, e)
    m[s + PHASE] = 1
    return take(m, s, take(m, s, tick(m, e, 1), 0), 1)
