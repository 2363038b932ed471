"""The einsum program: nodes, text form, verifier and dense reference interpreter."""

from fuseflow.einsum.explain import Explanation, Meaning, Unstored, explain
from fuseflow.einsum.interpret import interpret
from fuseflow.einsum.masks import masked_tensors
from fuseflow.einsum.nodes import (
    Access,
    Binary,
    Expression,
    Mask,
    Origin,
    Product,
    Program,
    Reduction,
    Statement,
    Tensor,
    Unary,
)
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.einsum.parse import parse
from fuseflow.einsum.show import show, show_statement
from fuseflow.einsum.verify import verify

__all__ = [
    "Access",
    "Binary",
    "BinaryOp",
    "Explanation",
    "Expression",
    "Mask",
    "Meaning",
    "Origin",
    "Product",
    "Program",
    "ReduceOp",
    "Reduction",
    "Statement",
    "Tensor",
    "Unary",
    "UnaryOp",
    "Unstored",
    "explain",
    "interpret",
    "masked_tensors",
    "parse",
    "show",
    "show_statement",
    "verify",
]
