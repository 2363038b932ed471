"""Kernels as the published model files write them, small: functions of sizes that return MLIR text."""

MAPS = """#CC = #sparse_tensor.encoding<{ map = (d0, d1) -> (d0 : compressed, d1 : compressed) }>
#rows = affine_map<(d0, d1, d2) -> (d0, d2)>
#cols = affine_map<(d0, d1, d2) -> (d2, d1)>
#out = affine_map<(d0, d1, d2) -> (d0, d1)>
#id = affine_map<(d0, d1) -> (d0, d1)>
#turned = affine_map<(d0, d1) -> (d1, d0)>
#last = affine_map<(d0, d1) -> (d1)>
#kept = affine_map<(d0, d1) -> (d0, 0)>
"""


class Text:
    """Lines of one function, with a counter for values."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.number = 0

    def value(self, text: str) -> str:
        name = f"%{self.number}"
        self.number += 1
        self.lines.append(f"    {name} = {text}")
        return name

    def empty(self, kind: str) -> str:
        return self.value(f"tensor.empty() : {plain(kind)}")

    def generic(self, maps: list[str], loops: str, ins: list[tuple[str, str]], out: tuple[str, str], body: str) -> str:
        kinds = {"p": '"parallel"', "r": '"reduction"'}
        iterators = ", ".join(kinds[each] for each in loops)
        names, types = ", ".join(name for name, _ in ins), ", ".join(kind for _, kind in ins)
        arguments = ", ".join([*(f"%in{number}: f32" for number in range(len(ins))), "%out: f32"])
        return self.value(
            f"linalg.generic {{indexing_maps = [{', '.join(maps)}], iterator_types = [{iterators}]}} "
            f"ins({names} : {types}) outs({out[0]} : {plain(out[1])}) {{\n    ^bb0({arguments}):\n{body}\n    }} -> {out[1]}"
        )

    def zeros(self, kind: str) -> str:
        empty = self.empty(kind)
        return self.value(f"linalg.fill ins(%zero : f32) outs({empty} : {plain(kind)}) -> {plain(kind)}")

    def matmul(self, left: tuple[str, str], right: tuple[str, str], kind: str) -> str:
        body = (
            "      %p = arith.mulf %in0, %in1 : f32\n      %s = arith.addf %out, %p : f32\n      linalg.yield %s : f32"
        )
        return self.generic(["#rows", "#cols", "#out"], "ppr", [left, right], (self.zeros(kind), kind), body)

    def bias(self, left: tuple[str, str], right: tuple[str, str], kind: str) -> str:
        body = "      %s = arith.addf %in0, %in1 : f32\n      linalg.yield %s : f32"
        return self.generic(["#id", "#last", "#id"], "pp", [left, right], (self.empty(kind), kind), body)

    def add(self, left: tuple[str, str], right: tuple[str, str], kind: str) -> str:
        body = "      %s = arith.addf %in0, %in1 : f32\n      linalg.yield %s : f32"
        return self.generic(["#id", "#id", "#id"], "pp", [left, right], (self.empty(kind), kind), body)

    def relu(self, operand: tuple[str, str], kind: str) -> str:
        body = (
            "      %c = arith.cmpf ugt, %in0, %zero : f32\n      %s = arith.select %c, %in0, %zero : f32\n"
            "      linalg.yield %s : f32"
        )
        return self.generic(["#id", "#id"], "pp", [operand], (self.empty(kind), kind), body)

    def weight(self, name: str, kind: str, turned: str) -> str:
        """A weight as PyTorch has it and its transposition, which carries the encoding."""
        constant = self.value(f"arith.constant dense_resource<{name}> : {kind}")
        body = "      linalg.yield %in0 : f32"
        return self.generic(["#id", "#turned"], "pp", [(constant, kind)], (self.empty(turned), turned), body)

    def function(self, arguments: str, result: str, kind: str) -> str:
        body = "\n".join(self.lines)
        return (
            f'{MAPS}module attributes {{torch.debug_module_name = "Net"}} {{\n'
            f"  func.func @forward({arguments}) -> {kind} {{\n    %zero = arith.constant 0.000000e+00 : f32\n"
            f"{body}\n    return {result} : {kind}\n  }}\n}}\n"
        )


def plain(kind: str) -> str:
    return kind.replace(", #CC", "")


def sae(batch: int = 4, inner: int = 7, hidden: int = 5, parts: str = "both") -> str:
    """Encoder, decoder, or both: everything compressed but the biases (compiler §6.1)."""
    text = Text()
    x, h, y = (f"tensor<{batch}x{size}xf32, #CC>" for size in (inner, hidden, inner))
    value, kind = "%arg0", h if parts == "decoder" else x
    if parts != "decoder":
        we, be = f"tensor<{inner}x{hidden}xf32, #CC>", f"tensor<{hidden}xf32>"
        weight = text.weight("encoder.weight", f"tensor<{hidden}x{inner}xf32>", we)
        value = text.matmul((value, x), (weight, we), h)
        bias = text.value(f"arith.constant dense_resource<encoder.bias> : {be}")
        value = text.relu((text.bias((value, h), (bias, be), h), h), h)
    if parts != "encoder":
        wd, bd = f"tensor<{hidden}x{inner}xf32, #CC>", f"tensor<{inner}xf32>"
        weight = text.weight("decoder.weight", f"tensor<{inner}x{hidden}xf32>", wd)
        value = text.matmul((value, h), (weight, wd), y)
        bias = text.value(f"arith.constant dense_resource<decoder.bias> : {bd}")
        value = text.bias((value, y), (bias, bd), y)
    return text.function(f"%arg0: {kind}", value, h if parts == "encoder" else y)


def gcn_layer(nodes: int = 6, features: int = 5, hidden: int = 4) -> str:
    """Adjacency, weight, bias, relu (compiler §6.2, ops 1 to 4)."""
    text = Text()
    x, a = f"tensor<{nodes}x{features}xf32>", f"tensor<{nodes}x{nodes}xf32, #CC>"
    h, w, b = f"tensor<{nodes}x{hidden}xf32>", f"tensor<{features}x{hidden}xf32, #CC>", f"tensor<{hidden}xf32>"
    value = text.matmul(("%arg1", a), ("%arg0", x), x)
    weight = text.weight("weight", f"tensor<{hidden}x{features}xf32>", w)
    value = text.matmul((value, x), (weight, w), h)
    bias = text.value(f"arith.constant dense_resource<bias> : {b}")
    value = text.relu((text.bias((value, h), (bias, b), h), h), h)
    return text.function(f"%arg0: {x}, %arg1: {a}", value, h)


def sage_layer(nodes: int = 6, features: int = 5, hidden: int = 4) -> str:
    """Self and neighbour products with their biases, added, relu (compiler §6.3, ops 1 to 7)."""
    text = Text()
    x, a = f"tensor<{nodes}x{features}xf32>", f"tensor<{nodes}x{nodes}xf32, #CC>"
    h, w, b = f"tensor<{nodes}x{hidden}xf32>", f"tensor<{features}x{hidden}xf32, #CC>", f"tensor<{hidden}xf32>"
    made = []
    for name, value in (("own", "%arg0"), ("near", "")):
        if not value:
            value = text.matmul(("%arg1", a), ("%arg0", x), x)
        weight = text.weight(f"{name}.weight", f"tensor<{hidden}x{features}xf32>", w)
        value = text.matmul((value, x), (weight, w), h)
        bias = text.value(f"arith.constant dense_resource<{name}.bias> : {b}")
        made.append(text.bias((value, h), (bias, b), h))
    value = text.relu((text.add((made[0], h), (made[1], h), h), h), h)
    return text.function(f"%arg0: {x}, %arg1: {a}", value, h)


LAYERNORM = """
#all = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#row = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
#x = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
#w = affine_map<(d0, d1, d2, d3) -> (d3, d2)>
#y = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#b = affine_map<(d0, d1, d2) -> (d2)>
module {
  func.func @layernorm_linear(%arg0: tensor<1x6x8xf32>) -> tensor<1x6x8xf32> {
    %n = arith.constant 8.0 : f32
    %eps = arith.constant 1.000000e-05 : f64
    %zero = arith.constant 0.0 : f32
    %w = arith.constant dense_resource<weight> : tensor<8x8xf32>
    %bias = arith.constant dense_resource<bias> : tensor<8xf32>
    %e = tensor.empty() : tensor<1x6x1xf32>
    %f = tensor.empty() : tensor<1x6x8xf32>
    %z = linalg.fill ins(%zero : f32) outs(%e : tensor<1x6x1xf32>) -> tensor<1x6x1xf32>
    %zw = linalg.fill ins(%zero : f32) outs(%f : tensor<1x6x8xf32>) -> tensor<1x6x8xf32>
    %0 = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "parallel", "reduction"]} ins(%arg0 : tensor<1x6x8xf32>) outs(%z : tensor<1x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %a = arith.addf %in, %out : f32
      linalg.yield %a : f32
    } -> tensor<1x6x1xf32>
    %1 = linalg.generic {indexing_maps = [#row, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%0 : tensor<1x6x1xf32>) outs(%e : tensor<1x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %a = arith.divf %in, %n : f32
      linalg.yield %a : f32
    } -> tensor<1x6x1xf32>
    %2 = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg0, %1 : tensor<1x6x8xf32>, tensor<1x6x1xf32>) outs(%f : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %in_1: f32, %out: f32):
      %a = arith.subf %in, %in_1 : f32
      linalg.yield %a : f32
    } -> tensor<1x6x8xf32>
    // the twin branch in f64: widened, summed and centred once more
    %3 = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg0 : tensor<1x6x8xf32>) outs(%f : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %out: f64):
      %a = arith.extf %in : f32 to f64
      linalg.yield %a : f64
    } -> tensor<1x6x8xf64>
    %4 = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "parallel", "reduction"]} ins(%3 : tensor<1x6x8xf64>) outs(%z : tensor<1x6x1xf32>) {
    ^bb0(%in: f64, %out: f64):
      %a = arith.addf %in, %out : f64
      linalg.yield %a : f64
    } -> tensor<1x6x1xf64>
    %5 = linalg.generic {indexing_maps = [#row, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%4 : tensor<1x6x1xf64>) outs(%e : tensor<1x6x1xf32>) {
    ^bb0(%in: f64, %out: f64):
      %a = arith.divf %in, %n : f64
      linalg.yield %a : f64
    } -> tensor<1x6x1xf64>
    %6 = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%3, %5 : tensor<1x6x8xf64>, tensor<1x6x1xf64>) outs(%f : tensor<1x6x8xf32>) {
    ^bb0(%in: f64, %in_1: f64, %out: f64):
      %a = arith.subf %in, %in_1 : f64
      linalg.yield %a : f64
    } -> tensor<1x6x8xf64>
    %7 = linalg.generic {indexing_maps = [#all, #all, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%6, %6 : tensor<1x6x8xf64>, tensor<1x6x8xf64>) outs(%f : tensor<1x6x8xf32>) {
    ^bb0(%in: f64, %in_1: f64, %out: f64):
      %a = arith.mulf %in, %in_1 : f64
      linalg.yield %a : f64
    } -> tensor<1x6x8xf64>
    %8 = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "parallel", "reduction"]} ins(%7 : tensor<1x6x8xf64>) outs(%z : tensor<1x6x1xf32>) {
    ^bb0(%in: f64, %out: f64):
      %a = arith.addf %in, %out : f64
      linalg.yield %a : f64
    } -> tensor<1x6x1xf64>
    %9 = linalg.generic {indexing_maps = [#row, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%8 : tensor<1x6x1xf64>) outs(%e : tensor<1x6x1xf32>) {
    ^bb0(%in: f64, %out: f64):
      %a = arith.divf %in, %n : f64
      linalg.yield %a : f64
    } -> tensor<1x6x1xf64>
    %10 = linalg.generic {indexing_maps = [#row, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%9 : tensor<1x6x1xf64>) outs(%e : tensor<1x6x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %a = arith.truncf %in : f64 to f32
      linalg.yield %a : f32
    } -> tensor<1x6x1xf32>
    %11 = linalg.generic {indexing_maps = [#row, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%10 : tensor<1x6x1xf32>) outs(%e : tensor<1x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %t = arith.truncf %eps : f64 to f32
      %a = arith.addf %in, %t : f32
      linalg.yield %a : f32
    } -> tensor<1x6x1xf32>
    %12 = linalg.generic {indexing_maps = [#row, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%11 : tensor<1x6x1xf32>) outs(%e : tensor<1x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %a = math.rsqrt %in : f32
      linalg.yield %a : f32
    } -> tensor<1x6x1xf32>
    %13 = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%2, %12 : tensor<1x6x8xf32>, tensor<1x6x1xf32>) outs(%f : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %in_1: f32, %out: f32):
      %a = arith.mulf %in, %in_1 : f32
      linalg.yield %a : f32
    } -> tensor<1x6x8xf32>
    %14 = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%13, %w : tensor<1x6x8xf32>, tensor<8x8xf32>) outs(%zw : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %in_1: f32, %out: f32):
      %a = arith.mulf %in, %in_1 : f32
      %s = arith.addf %out, %a : f32
      linalg.yield %s : f32
    } -> tensor<1x6x8xf32>
    %15 = linalg.generic {indexing_maps = [#all, #b, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%14, %bias : tensor<1x6x8xf32>, tensor<8xf32>) outs(%f : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %in_1: f32, %out: f32):
      %a = arith.addf %in, %in_1 : f32
      linalg.yield %a : f32
    } -> tensor<1x6x8xf32>
    return %15 : tensor<1x6x8xf32>
  }
}
"""

ATTENTION = """
#CC = #sparse_tensor.encoding<{ map = (d0, d1) -> (d0 : compressed, d1 : compressed) }>
#q = affine_map<(b, h, m, n, d) -> (b, h, m, d)>
#k = affine_map<(b, h, m, n, d) -> (b, h, d, n)>
#s = affine_map<(b, h, m, n, d) -> (b, h, m, n)>
#all = affine_map<(b, h, m, n) -> (b, h, m, n)>
#mask = affine_map<(b, h, m, n) -> (m, n)>
#row = affine_map<(b, h, m, n) -> (b, h, m, 0)>
#p = affine_map<(b, h, m, e, n) -> (b, h, m, n)>
#v = affine_map<(b, h, m, e, n) -> (b, h, n, e)>
#o = affine_map<(b, h, m, e, n) -> (b, h, m, e)>
module {
  func.func @attention(%arg0: tensor<1x2x6x4xf32>, %arg1: tensor<1x2x4x6xf32>, %arg2: tensor<1x2x6x4xf32>, %arg3: tensor<6x6xf32, #CC>) -> tensor<1x2x6x4xf32> {
    %zero = arith.constant 0.0 : f32
    %low = arith.constant 0xFF800000 : f32
    %scale = arith.constant 8.0 : f32
    %es = tensor.empty() : tensor<1x2x6x6xf32>
    %er = tensor.empty() : tensor<1x2x6x1xf32>
    %eo = tensor.empty() : tensor<1x2x6x4xf32>
    %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<1x2x6x6xf32>) -> tensor<1x2x6x6xf32>
    %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<1x2x6x1xf32>) -> tensor<1x2x6x1xf32>
    %lr = linalg.fill ins(%low : f32) outs(%er : tensor<1x2x6x1xf32>) -> tensor<1x2x6x1xf32>
    %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<1x2x6x4xf32>) -> tensor<1x2x6x4xf32>
    %0 = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%arg0, %arg1 : tensor<1x2x6x4xf32>, tensor<1x2x4x6xf32>) outs(%zs : tensor<1x2x6x6xf32>) {
    ^bb0(%in: f32, %in_1: f32, %out: f32):
      %a = arith.mulf %in, %in_1 : f32
      %s = arith.addf %out, %a : f32
      linalg.yield %s : f32
    } -> tensor<1x2x6x6xf32>
    %1 = linalg.generic {indexing_maps = [#all, #mask, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%0, %arg3 : tensor<1x2x6x6xf32>, tensor<6x6xf32, #CC>) outs(%es : tensor<1x2x6x6xf32>) {
    ^bb0(%in: f32, %in_1: f32, %out: f32):
      %a = arith.mulf %in, %in_1 : f32
      linalg.yield %a : f32
    } -> tensor<1x2x6x6xf32>
    %2 = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%1 : tensor<1x2x6x6xf32>) outs(%es : tensor<1x2x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %a = arith.divf %in, %scale : f32
      linalg.yield %a : f32
    } -> tensor<1x2x6x6xf32>
    %3 = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%2 : tensor<1x2x6x6xf32>) outs(%lr : tensor<1x2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %a = arith.maximumf %in, %out : f32
      linalg.yield %a : f32
    } -> tensor<1x2x6x1xf32>
    %4 = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%2, %3 : tensor<1x2x6x6xf32>, tensor<1x2x6x1xf32>) outs(%es : tensor<1x2x6x6xf32>) {
    ^bb0(%in: f32, %in_1: f32, %out: f32):
      %a = arith.subf %in, %in_1 : f32
      linalg.yield %a : f32
    } -> tensor<1x2x6x6xf32>
    %5 = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%4 : tensor<1x2x6x6xf32>) outs(%es : tensor<1x2x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %a = math.exp %in : f32
      linalg.yield %a : f32
    } -> tensor<1x2x6x6xf32>
    %6 = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%5 : tensor<1x2x6x6xf32>) outs(%zr : tensor<1x2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %a = arith.addf %in, %out : f32
      linalg.yield %a : f32
    } -> tensor<1x2x6x1xf32>
    %7 = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%5, %6 : tensor<1x2x6x6xf32>, tensor<1x2x6x1xf32>) outs(%es : tensor<1x2x6x6xf32>) {
    ^bb0(%in: f32, %in_1: f32, %out: f32):
      %a = arith.divf %in, %in_1 : f32
      linalg.yield %a : f32
    } -> tensor<1x2x6x6xf32>
    %8 = linalg.generic {indexing_maps = [#p, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%7, %arg2 : tensor<1x2x6x6xf32>, tensor<1x2x6x4xf32>) outs(%zo : tensor<1x2x6x4xf32>) {
    ^bb0(%in: f32, %in_1: f32, %out: f32):
      %a = arith.mulf %in, %in_1 : f32
      %s = arith.addf %out, %a : f32
      linalg.yield %s : f32
    } -> tensor<1x2x6x4xf32>
    return %8 : tensor<1x2x6x4xf32>
  }
}
"""
