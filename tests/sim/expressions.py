"""Cases of the schema of ``sam_expressions.json``, made up: any expression in any formats and any order.

``python -m tests.sim.expressions SEED`` replays every kernel in every order, in formats drawn with that seed.
"""

import json
import re
import sys
from collections.abc import Iterator
from itertools import permutations, product
from typing import Any

import numpy as np

Case = dict[str, Any]

KERNELS: dict[str, tuple[str, str]] = {
    # name: expression, and the same for numpy
    "identity": ("X(i,j)=B(i,j)", "B"),
    "transpose": ("X(j,i)=B(i,j)", "B.T"),
    "elemmul": ("X(i,j)=B(i,j)*C(i,j)", "B*C"),
    "elemadd": ("X(i,j)=B(i,j)+C(i,j)", "B+C"),
    "elemsub": ("X(i,j)=B(i,j)-C(i,j)", "B-C"),
    "add3": ("X(i,j)=B(i,j)+C(i,j)+D(i,j)", "B+C+D"),
    "mul3": ("X(i,j)=B(i,j)*C(i,j)*D(i,j)", "B*C*D"),
    "muladd": ("X(i,j)=B(i,j)*C(i,j)+D(i,j)", "B*C+D"),
    "vecadd3": ("x(i)=b(i)+c(i)+d(i)", "b+c+d"),
    "inner": ("x=B(i,j)*C(i,j)", "np.sum(B*C)"),
    "inner3": ("x=B(i,j,k)*C(i,j,k)", "np.sum(B*C)"),
    "rowsum": ("x(i)=B(i,j)", "B.sum(1)"),
    "total": ("x=B(i,j)", "B.sum()"),
    "scale": ("X(i,j)=b*C(i,j)", "b*C"),
    "outer": ("X(i,j)=b(i)*c(j)", "np.outer(b,c)"),
    "vecmul": ("x(i)=B(i,j)*c(j)", "B@c"),
    "residual": ("x(i)=b(i)-C(i,j)*d(j)", "b-C@d"),
    "mattransmul": ("x(i)=b*C(j,i)*d(j)+e*f(i)", "b*(C.T@d)+e*f"),
    "matmul": ("X(i,j)=B(i,k)*C(k,j)", "B@C"),
    "matmul2": ("X(i,j)=B(i,k)*C(k,j)+D(i,j)", "B@C+D"),
    "twoproducts": ("X(i,j)=B(i,k)*C(k,j)+D(i,l)*E(l,j)", "B@C+D@E"),
    "chain": ("X(i,j)=B(i,k)*C(k,l)*D(l,j)", "B@C@D"),
    "sddmm": ("X(i,j)=B(i,j)*C(i,k)*D(k,j)", "B*(C@D)"),
    "sddmm_t": ("X(i,j)=B(i,j)*C(i,k)*D(j,k)", "B*(C@D.T)"),
    "tensor3_add": ("X(i,j,k)=B(i,j,k)+C(i,j,k)", "B+C"),
    "tensor3_mul": ("X(i,j,k)=B(i,j,k)*C(i,j,k)", "B*C"),
    "ttv": ("X(i,j)=B(i,j,k)*c(k)", "np.einsum('ijk,k->ij',B,c)"),
    "ttv_middle": ("X(i,k)=B(i,j,k)*c(j)", "np.einsum('ijk,j->ik',B,c)"),
    "ttm": ("X(i,j,k)=B(i,j,l)*C(k,l)", "np.einsum('ijl,kl->ijk',B,C)"),
    "mttkrp": ("X(i,j)=B(i,k,l)*C(k,j)*D(l,j)", "np.einsum('ikl,kj,lj->ij',B,C,D)"),
    "mttkrp_t": ("X(i,j)=B(i,k,l)*C(j,k)*D(j,l)", "np.einsum('ikl,jk,jl->ij',B,C,D)"),
    "tensor4_ttv": ("X(i,j,k)=B(i,j,k,l)*c(l)", "np.einsum('ijkl,l->ijk',B,c)"),
    "tensor4_add": ("X(i,j,k,l)=B(i,j,k,l)+C(i,j,k,l)", "B+C"),
    "bmm": ("X(b,i,j)=B(b,i,k)*C(b,k,j)", "np.einsum('bik,bkj->bij',B,C)"),
    "bias": ("X(i,j)=B(i,k)*C(k,j)+d(j)", "B@C+d"),
    "contract2": ("X(i,j)=B(i,k,l)*C(k,l,j)", "np.einsum('ikl,klj->ij',B,C)"),
}

SIZES = {"i": 4, "j": 3, "k": 5, "l": 2, "b": 2}


def accesses(expression: str) -> dict[str, tuple[str, ...]]:
    """Tensors of an expression with their index variables, the result first."""
    return {
        name: tuple(part for part in (indices or "").split(",") if part)
        for name, indices in re.findall(r"([A-Za-z]\w*)(?:\(([^()]*)\))?", expression)
    }


def formats_of(order: int) -> list[str]:
    """Every format of an order: level kinds times storage orders."""
    return [
        "".join(kinds) + (":" + ",".join(map(str, modes)) if order > 1 else "")
        for kinds in product("ds", repeat=order)
        for modes in permutations(range(order))
    ]


def case(name: str, rng: np.random.Generator, order: tuple[str, ...] | None = None, density: float = 0.4) -> Case:
    """One case of kernel ``name`` with random formats and data; some operands have no nonzeros at all."""
    expression, formula = KERNELS[name]
    used = accesses(expression)
    (output, indices), *operands = used.items()
    arrays: dict[str, np.ndarray] = {}
    for tensor, places in operands:
        shape = tuple(SIZES[index] for index in places)
        kept = rng.random(shape) < rng.choice([0.0, density, 0.8, 1.0], p=[0.08, 0.6, 0.2, 0.12])
        arrays[tensor] = np.asarray(rng.integers(1, 9, shape) * kept, np.float64)
    formats = {tensor: str(rng.choice(formats_of(len(places)))) for tensor, places in operands if places}
    if indices:
        formats[output] = str(rng.choice(formats_of(len(indices))))
    schedule = None if order is None else ",".join(order) if len(order) > 1 else order[0] if order else None
    return {
        "id": f"{name}_{''.join(order or ())}",
        "expression": expression,
        "formats": formats,
        "schedule": schedule,
        "inputs": {tensor: array.tolist() for tensor, array in arrays.items()},
        "expected_dense": np.asarray(eval(formula, {"np": np}, arrays)).tolist(),
    }


def variations(seed: int, per_order: int = 1) -> Iterator[Case]:
    """Every kernel without an order and in every order of its index variables."""
    rng = np.random.default_rng(seed)
    for name, (expression, _) in KERNELS.items():
        indices = sorted({index for places in accesses(expression).values() for index in places})
        for order in (None, *permutations(indices)):
            for number in range(per_order):
                made = case(name, rng, order)
                yield {**made, "id": f"{made['id']}_{seed}_{number}"}


def main(seed: int) -> None:
    from fuseflow.sim.replay.expressions import replay_expression
    from fuseflow.sim.replay.record import Record
    from fuseflow.sim.replay.result import Outcome, Replay

    found = []
    for made in variations(seed):
        result = replay_expression(f"variations {seed}", Record(made["id"], made))
        found.append(result)
        if result.outcome is not Outcome.PASSED:
            print(json.dumps({key: made[key] for key in ("expression", "formats", "schedule")}))
    print(Replay(tuple(found)).report())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
