"""Every function of the ALU: both engines give the same values, to the bit, and the same cycles."""

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.einsum import UnaryOp
from fuseflow.einsum.split import FUNCTIONS, SCALAR_FUNCTIONS

A = np.random.default_rng(2).normal(size=(5, 7)).astype(np.float32)
A[A < -1.2] = 0.0
SYMBOLS = {UnaryOp.ADD_SCALAR: "+", UnaryOp.MUL_SCALAR: "*", UnaryOp.DIV_SCALAR: "/"}
POSITIVE = (UnaryOp.LOG, UnaryOp.SQRT, UnaryOp.RSQRT, UnaryOp.POW_SCALAR, UnaryOp.RECIPROCAL)


@pytest.mark.parametrize("op", list(UnaryOp))
def test_both_engines_agree(op: UnaryOp) -> None:
    if op in SYMBOLS:
        text = f"A[i,j] {SYMBOLS[op]} 0.75"
    else:
        assert op.value in (SCALAR_FUNCTIONS if op.takes_scalar else FUNCTIONS)
        text = f"{op.value}(A[i,j], 0.75)" if op.takes_scalar else f"{op.value}(A[i,j])"
    data = np.abs(A) + 0.5 if op in POSITIVE else A
    model = ff.einsum(f'A[5,7]: "dd"\nY[i,j] = {text}', A=data)
    compiled = ff.compile(model)
    fast, slow = (compiled.simulate(engine=engine) for engine in ("compiled", "interpreter"))
    np.testing.assert_array_equal(fast.outputs["Y"], slow.outputs["Y"])
    assert fast.cycles == slow.cycles
    assert fast.flops == slow.flops == A.size
    assert fast.check().max_rel_error < 1e-6
