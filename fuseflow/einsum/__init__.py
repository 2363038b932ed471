"""The einsum program: nodes, text form, verifier and dense reference interpreter."""

from fuseflow.einsum.blocked import Blocks, block_sizes, blocked
from fuseflow.einsum.explain import Explanation, Meaning, Unstored, explain
from fuseflow.einsum.in_blocks import in_blocks
from fuseflow.einsum.interpret import interpret
from fuseflow.einsum.layout import move_tree, output_shape
from fuseflow.einsum.masks import masked_tensors
from fuseflow.einsum.nodes import (
    Access,
    Binary,
    Concat,
    Expression,
    Gather,
    Layout,
    Mask,
    Origin,
    Product,
    Program,
    Reduction,
    Reshape,
    Slice,
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
    "Blocks",
    "Concat",
    "Explanation",
    "Expression",
    "Gather",
    "Layout",
    "Mask",
    "Meaning",
    "Origin",
    "Product",
    "Program",
    "ReduceOp",
    "Reduction",
    "Reshape",
    "Slice",
    "Statement",
    "Tensor",
    "Unary",
    "UnaryOp",
    "Unstored",
    "block_sizes",
    "blocked",
    "explain",
    "in_blocks",
    "interpret",
    "masked_tensors",
    "move_tree",
    "output_shape",
    "parse",
    "show",
    "show_statement",
    "verify",
]
