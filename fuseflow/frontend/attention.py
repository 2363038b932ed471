"""Scaled dot-product attention, decomposed into the kernels that the paper counts."""

from math import sqrt
from typing import TYPE_CHECKING

from fuseflow.einsum import BinaryOp, UnaryOp
from fuseflow.frontend.arguments import argument, number
from fuseflow.frontend.constants import known
from fuseflow.frontend.masks import MINUS_INFINITY, apply_mask
from fuseflow.frontend.reductions import softmax_of
from fuseflow.frontend.translator import Translator
from fuseflow.frontend.values import Value

if TYPE_CHECKING:
    import torch
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
    given = argument(node, 6, "scale", None)
    scale = 1 / sqrt(queries.shape[-1]) if given is None else number(translator, given)
    mask = argument(node, 3, "attn_mask", None)
    keep, bias = None, None
    if argument(node, 5, "is_causal", False):
        keep = torch.ones(queries.shape[-2], keys.shape[-2], dtype=torch.bool).tril()
    elif mask is not None:
        keep, bias = _mask(translator, mask)
    if keep is not None:
        scores = apply_mask(translator, f"{name}_masked", scores, keep, f"{group}.mask")
    scaled = translator.unary(f"{name}_scaled", UnaryOp.MUL_SCALAR, scores, f"{group}.scale", scale)
    if bias is not None:
        scaled = translator.binary(f"{name}_biased", BinaryOp.ADD, scaled, bias, f"{group}.bias")
    weights = softmax_of(translator, f"{name}_softmax", scaled, len(scaled.shape) - 1, f"{group}.softmax")
    return translator.product(name, weights, values, f"{group}.values")


def _mask(translator: Translator, mask: object) -> tuple["torch.Tensor | None", Value | None]:
    """Which scores an attention mask keeps, and what it adds to them; None where it does not."""
    import torch
    from torch import fx

    data = known(translator, mask)
    if data is None and isinstance(mask, fx.Node):
        data = translator.given.get(mask)  # what an input hides is fixed when the model is traced
    if data is None or data.layout is not torch.strided:
        return None, translator.value(mask)
    if data.dtype == torch.bool:
        return data, None
    hidden = data <= MINUS_INFINITY
    if not bool(hidden.any()):
        return None, translator.value(mask)
    rest = data.masked_fill(hidden, 0.0)
    return ~hidden, translator.constant("attn_mask_values", rest) if bool(rest.any()) else None


HANDLERS = {"scaled_dot_product_attention": attention}
