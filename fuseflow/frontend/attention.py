"""Scaled dot-product attention, decomposed into the kernels that the paper counts."""

from math import sqrt
from typing import TYPE_CHECKING

from fuseflow.einsum import UnaryOp
from fuseflow.frontend.arguments import argument, number
from fuseflow.frontend.constants import known
from fuseflow.frontend.masks import additive, apply_mask
from fuseflow.frontend.reductions import softmax_of
from fuseflow.frontend.translator import Translator
from fuseflow.frontend.values import Value

if TYPE_CHECKING:
    from torch import fx


def attention(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``scaled_dot_product_attention(q, k, v, mask, dropout, is_causal, scale)``."""
    import torch

    queries, keys, values = (translator.value(item) for item in node.args[:3])
    name = node.name
    if number(translator, argument(node, 4, "dropout_p", 0.0)) != 0.0:
        raise translator.fault("dropout_p other than 0 is random; pass dropout_p=0.0 outside of training")
    if argument(node, 7, "enable_gqa", False):
        raise translator.fault("enable_gqa is not supported; repeat the keys and values instead")
    order = range(len(keys.shape))
    transposed = keys.permuted([*order[:-2], order[-1], order[-2]])
    scores = translator.product(f"{name}_scores", queries, transposed, f"{group}.scores")
    mask = argument(node, 3, "attn_mask", None)
    if argument(node, 5, "is_causal", False):
        causal = torch.ones(queries.shape[-2], keys.shape[-2], dtype=torch.bool).tril()
        scores = apply_mask(translator, f"{name}_masked", scores, causal, f"{group}.mask")
    elif mask is not None:
        fixed = known(translator, mask)
        if fixed is None:
            raise translator.fault("the mask is computed when the program runs; it must be a constant or an input")
        if fixed.dtype == torch.bool:
            scores = apply_mask(translator, f"{name}_masked", scores, fixed, f"{group}.mask")
        else:
            made = additive(translator, f"{name}_masked", scores, fixed, f"{group}.mask")
            if made is None or bool(fixed[fixed > -1e9].any()):
                raise translator.fault("an additive mask with other values than 0 and minus infinity; add it yourself")
            scores = made
    given = argument(node, 6, "scale", None)
    scale = 1 / sqrt(queries.shape[-1]) if given is None else number(translator, given)
    scaled = translator.unary(f"{name}_scaled", UnaryOp.MUL_SCALAR, scores, f"{group}.scale", scale)
    weights = softmax_of(translator, f"{name}_softmax", scaled, len(scaled.shape) - 1, f"{group}.softmax")
    return translator.product(name, weights, values, f"{group}.values")


HANDLERS = {"scaled_dot_product_attention": attention}
