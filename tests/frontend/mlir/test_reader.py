"""What the reader of MLIR text understands, and how it refuses the rest: line, column, and what stands there."""

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.errors import FuseflowError, ProgramError
from fuseflow.frontend.mlir import read_mlir
from tests.frontend.mlir.texts import gcn_layer

HEAD = """#id = affine_map<(d0, d1) -> (d0, d1)>
#t = affine_map<(d0, d1) -> (d1, d0)>
#r = affine_map<(d0, d1) -> (d0)>
#c = affine_map<(d0, d1) -> (d1)>
#s = affine_map<(d0, d1) -> ()>
"""


def function(body: str, result: str = "tensor<2x3xf32>", arguments: str = "%x: tensor<2x3xf32>") -> str:
    return f"{HEAD}func.func @main({arguments}) -> {result} {{\n{body}\n}}\n"


def generic(maps: str, loops: str, ins: str, outs: str, body: str, result: str = "tensor<2x3xf32>") -> str:
    kinds = ", ".join({"p": '"parallel"', "r": '"reduction"'}[each] for each in loops)
    arguments = ", ".join(f"%i{number}: f32" for number in range(maps.count("#")))
    return (
        f"linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}} {ins} {outs} {{\n"
        f"^bb0({arguments}):\n{body}\n}} -> {result}"
    )


def elementwise(body: str, before: str = "") -> str:
    """A function of %x, with constants ``before`` it and ``body`` in it."""
    text = generic("#id, #id", "pp", "ins(%x : tensor<2x3xf32>)", "outs(%e : tensor<2x3xf32>)", body)
    return function(f"{before}%e = tensor.empty() : tensor<2x3xf32>\n%0 = {text}\nreturn %0 : tensor<2x3xf32>")


X = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]], np.float32)


def result(text: str, x: np.ndarray = X, **more: np.ndarray) -> np.ndarray:
    model = ff.from_mlir(text, {"x": x, **more})
    run = ff.compile(model).simulate()
    assert run.compare().passed
    (found,) = run.outputs.values()
    return found


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("%a = math.exp %i0 : f32\nlinalg.yield %a : f32", np.exp(X)),
        ("%a = math.tanh %i0 : f32\nlinalg.yield %a : f32", np.tanh(X)),
        ("%a = arith.mulf %i0, %i0 : f32\n%b = math.sqrt %a : f32\nlinalg.yield %b : f32", np.abs(X)),
        ("%a = arith.mulf %i0, %i0 fastmath<fast> : f32\n%b = math.rsqrt %a : f32\nlinalg.yield %b : f32", 1 / np.abs(X)),
        ("%a = arith.negf %i0 : f32\n%b = math.exp %a : f32\n%o = arith.constant 1.0 : f32\n%c = arith.addf %b, %o : f32\n%d = arith.divf %o, %c : f32\nlinalg.yield %d : f32", 1 / (1 + np.exp(-X))),
        ("%z = arith.constant 0.0 : f32\n%a = arith.maximumf %i0, %z : f32\nlinalg.yield %a : f32", np.maximum(X, 0)),
        ("%z = arith.constant 0.0 : f32\n%c = arith.cmpf olt, %i0, %z : f32\n%a = arith.select %c, %z, %i0 : f32\nlinalg.yield %a : f32", np.maximum(X, 0)),
        ("%z = arith.constant 2.5e+00 : f32\n%a = arith.subf %z, %i0 : f32\nlinalg.yield %a : f32", 2.5 - X),
        ("%z = arith.constant 2.5 : f64\n%t = arith.truncf %z : f64 to f32\n%a = arith.subf %i0, %t : f32\nlinalg.yield %a : f32", X - 2.5),
        ("%z = arith.constant 0x40000000 : f32\n%a = arith.divf %i0, %z : f32\nlinalg.yield %a : f32", X / 2),
        ("%a = arith.mulf %i0, %i0 : f32\n%b = arith.addf %a, %i0 : f32\nlinalg.yield %b : f32", X * X + X),
        ("%z = arith.constant 1.0 : f32\n%a = arith.divf %z, %i0 : f32\nlinalg.yield %a : f32", 1 / X),
        ("%z = arith.constant -2.5 : f32\n%a = arith.divf %z, %i0 : f32\nlinalg.yield %a : f32", -2.5 / X),
        ("%z = arith.constant 0.5 : f32\n%a = arith.maximumf %z, %i0 : f32\nlinalg.yield %a : f32", np.maximum(X, 0.5)),
        ("%z = arith.constant -0.5 : f32\n%c = arith.cmpf olt, %i0, %z : f32\n%a = arith.select %c, %i0, %z : f32\nlinalg.yield %a : f32", np.minimum(X, -0.5)),
        ("%a = math.absf %i0 : f32\nlinalg.yield %a : f32", np.abs(X)),
    ],
)  # fmt: skip
def test_bodies(body: str, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(result(elementwise(body)), wanted, rtol=1e-5)


def test_reductions_and_what_they_start_from() -> None:
    total = "%a = arith.addf %i1, %i0 : f32\nlinalg.yield %a : f32"
    most = "%a = arith.maximumf %i0, %i1 : f32\nlinalg.yield %a : f32"

    def reduce(body: str, start: str) -> str:
        text = generic("#id, #r", "pr", "ins(%x : tensor<2x3xf32>)", "outs(%f : tensor<2xf32>)", body, "tensor<2xf32>")
        fill = f"%e = tensor.empty() : tensor<2xf32>\n%c = arith.constant {start} : f32\n%f = linalg.fill ins(%c : f32) outs(%e : tensor<2xf32>) -> tensor<2xf32>"
        return function(f"{fill}\n%0 = {text}\nreturn %0 : tensor<2xf32>", "tensor<2xf32>")

    np.testing.assert_allclose(result(reduce(total, "0.0")), X.sum(1))
    np.testing.assert_allclose(result(reduce(total, "1.5")), X.sum(1) + 1.5)
    np.testing.assert_allclose(result(reduce(most, "-3.40282347E+38")), X.max(1))
    np.testing.assert_allclose(result(reduce(most, "0xFF800000")), X.max(1))
    with pytest.raises(ProgramError, match="line 10, column 6: its maximum starts from 0; from minus infinity"):
        read_mlir(reduce(most, "0.0"))
    with pytest.raises(ProgramError, match="no sum and no maximum over its reduction loops"):
        read_mlir(reduce(most.replace("maximumf", "mulf"), "0.0"))


def test_named_operations_and_constants() -> None:
    text = function(
        """%w = arith.constant dense<[[1.0, 2.0], [0.0, -1.0], [3.5e0, 0.0]]> : tensor<3x2xf32>
    %b = arith.constant dense<"0x0000803F00000040"> : tensor<2xf32>
    %z = arith.constant dense<0.0> : tensor<2x2xf32>
    %e = tensor.empty() : tensor<2x2xf32>
    %0 = linalg.matmul ins(%x, %w : tensor<2x3xf32>, tensor<3x2xf32>) outs(%z : tensor<2x2xf32>) -> tensor<2x2xf32>
    %dead = linalg.exp ins(%0 : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
    %t = linalg.transpose ins(%0 : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) permutation = [1, 0]
    %1 = linalg.add ins(%0, %t : tensor<2x2xf32>, tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
    %2 = linalg.matvec ins(%1, %b : tensor<2x2xf32>, tensor<2xf32>) outs(%v : tensor<2xf32>) -> tensor<2xf32>
    return %2 : tensor<2xf32>""".replace("%2 =", "%v = arith.constant dense<0.0> : tensor<2xf32>\n    %2 ="),
        "tensor<2xf32>",
    )
    product = X @ np.array([[1, 2], [0, -1], [3.5, 0]])
    np.testing.assert_allclose(result(text), (product + product.T) @ [1, 2], rtol=1e-5)
    assert "exp" not in repr(read_mlir(text).program)


def test_resources_of_the_file_are_data() -> None:
    text = function(
        """%w = arith.constant dense_resource<w.1> : tensor<3xf32>
    %e = tensor.empty() : tensor<2x3xf32>
    %0 = linalg.generic {indexing_maps = [#id, #c, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %w : tensor<2x3xf32>, tensor<3xf32>) outs(%e : tensor<2x3xf32>) attrs = {note = "bias"} {
    ^bb0(%in: f32, %in_0: f32, %out: f32):
      %1 = arith.addf %in, %in_0 : f32
      linalg.yield %1 : f32
    } -> tensor<2x3xf32>
    return %0 : tensor<2x3xf32>"""
    )
    blob = np.array([1, 2, 4], "<f4").tobytes().hex().upper()
    text += '{-#\n  dialect_resources: {\n    builtin: {\n      w.1: "0x04000000' + blob + '"\n    }\n  }\n#-}\n'
    np.testing.assert_allclose(result(text), X + np.array([1, 2, 4]))


def test_encodings() -> None:
    """New and older syntax, aliases and in place, in any mode order."""
    base = "%e = tensor.empty() : tensor<2x3xf32>\n%0 = linalg.exp ins(%x : tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) -> tensor<2x3xf32>\nreturn %0 : tensor<2x3xf32>"
    for encoding, wanted in (
        ("#sparse_tensor.encoding<{ map = (d0, d1) -> (d0 : dense, d1 : compressed) }>", "dc"),
        ("#sparse_tensor.encoding<{ map = (i, j) -> (j : compressed, i : dense), posWidth = 32 }>", "cd:1,0"),
        ('#sparse_tensor.encoding<{ lvlTypes = ["compressed", "compressed"] }>', "cc"),
        (
            '#sparse_tensor.encoding<{ dimLevelType = ["dense", "compressed"], dimOrdering = affine_map<(i, j) -> (j, i)> }>',
            "dc:1,0",
        ),
    ):
        text = function(base, arguments=f"%x: tensor<2x3xf32, {encoding}>")
        assert str(read_mlir(text).program.tensor("x").format) == wanted
        aliased = f"#enc = {encoding}\n" + function(base, arguments="%x: tensor<2x3xf32, #enc>")
        assert str(read_mlir(aliased).program.tensor("x").format) == wanted
    for encoding, message in (
        ("#sparse_tensor.encoding<{ map = (d0, d1) -> (d0 : compressed(nonunique), d1 : singleton) }>", "level type 'compressed(nonunique)' is not read"),
        ("#sparse_tensor.encoding<{ map = (d0, d1) -> (d0 : dense) }>", "the encoding does not fit the tensor"),
        ("#sparse_tensor.encoding<{ map = (d0, d1) -> (d0 floordiv 2 : dense, d1 : dense) }>", "must store one dimension"),
        ("#sparse_tensor.encoding<{ posWidth = 32 }>", "an encoding must have a map"),
        ("#none", "#none is no sparse encoding that is defined above"),
    ):  # fmt: skip
        with pytest.raises(ProgramError) as caught:
            read_mlir(function(base, arguments=f"%x: tensor<2x3xf32, {encoding}>"))
        assert message in str(caught.value)


def test_a_function_by_name_and_several_results() -> None:
    first = (
        "func.func @other(%y: tensor<2xf32>) -> (tensor<2xf32>) attributes {a = 1} {\nreturn %y : tensor<2xf32>\n}\n"
    )
    text = elementwise("%a = math.exp %i0 : f32\nlinalg.yield %a : f32").replace(
        "func.func @main", f"{first}func.func private @main"
    )
    assert [tensor.name for tensor in read_mlir(text, function="main").program.inputs] == ["x"]
    assert [tensor.name for tensor in read_mlir(text).program.inputs] == ["y"]
    with pytest.raises(ProgramError, match="there is no function @third in it"):
        read_mlir(text, function="third")
    both = text.replace("return %0 : tensor<2x3xf32>", "return %0, %x : tensor<2x3xf32>, tensor<2x3xf32>")
    assert len(read_mlir(both, function="main").program.outputs) == 2


GATHER = "%e = tensor.empty() : tensor<2x3xf32>\n    %0 = {} : tensor<2x3xf32>\n    return %0 : tensor<2x3xf32>"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (function(GATHER.format("tensor.gather %x[%e]")), "line 8, column 10: operation 'tensor.gather' is not supported\n      %0 = tensor.gather %x[%e]"),
        (function(GATHER.format("tensor.extract_slice %x[0, 0]")), "operation 'tensor.extract_slice' is not supported"),
        (function(GATHER.format("tm_tensor.scan ins(%x)")), "operation 'tm_tensor.scan' is not supported"),
        (elementwise("%i = linalg.index 0 : index\nlinalg.yield %i0 : f32"), "operation 'linalg.index' in a body is not supported"),
        (elementwise("%a = math.erf %i0 : f32\nlinalg.yield %a : f32"), "line 10, column 6: operation 'math.erf' in a body is not supported"),
        (elementwise("%a = math.exp %q : f32\nlinalg.yield %a : f32"), "%q is not defined in this body"),
        (elementwise("%a = arith.cmpf une, %i0, %i0 : f32\nlinalg.yield %a : f32"), "comparison 'une' is not read"),
        (elementwise("%z = arith.constant 1.0 : f32\n%c = arith.cmpf ogt, %i0, %z : f32\n%a = arith.select %c, %z, %z : f32\nlinalg.yield %a : f32"), "this select is no maximum"),
        (function("return %y : tensor<2x3xf32>"), "line 7, column 8: %y is not defined above"),
        (function("%0 = tensor.empty() : tensor<2x?xf32>\nreturn %0 : tensor<2x3xf32>"), "a dimension of unknown size '?'"),
        (function("%0 = tensor.empty() : tensor<99999999999x3xf32>\nreturn %0 : tensor<2x3xf32>"), "is too large"),
        (function("%0 = arith.constant dense<[1.0, 2.0]> : tensor<3xf32>\nreturn %0 : tensor<3xf32>"), "the literal has 2 numbers"),
        (function('%0 = arith.constant dense<"0x00"> : tensor<3xf32>\nreturn %0 : tensor<3xf32>'), "the data have 1 bytes; 3 elements of f32 need 12"),
        (function("%0 = arith.constant dense<1.0> : tensor<3xf32>\nreturn %0 : tensor<3xf32>"), "a constant is returned"),
        (function("%0 = linalg.exp ins(%x : tensor<2x3xf32>) outs(%x : tensor<2x3xf32>)"), "expected an operation or return, not '}'"),
        (function("return %x : tensor<2x3xf32>").replace("func.func", "spirv.func"), "expected a function (func.func), not 'spirv.func'"),
        (function("return %x : tensor<2x3xf32>").replace("(d1, d0)>", "(d1 + 1, d0)>"), "line 2, column 29: result 'd1 + 1' of an affine map must be one of its dimensions, or 0"),
        (elementwise("linalg.yield %i0 : f32").replace("[#id, #id]", "[#id]"), "but 1 indexing maps"),
        (elementwise("linalg.yield %i0 : f32").replace("[#id, #id]", "[#t, #id]"), "has size 2 at loop d0, but another operand 3"),
        (elementwise("linalg.yield %i0 : f32").replace("[#id, #id]", "[#r, #id]"), "operand 0 has 2 dimensions, but its map 1"),
        (elementwise("linalg.yield %i0 : f32").replace('"parallel"', '"window"', 1), 'a loop of kind "window"; only "parallel" and "reduction" are known'),
        (function("return %x : tensor<2x3xf32>").replace("2x3xf32", "2x3xi32"), "holds i32; a program computes with floats: make it f32"),
        ("", "the text ends, and there is no function (func.func) in it"),
        ("module {", "the text ends"),
        ("func.func @main(%x: tensor<2xf32>", "expected ',', not the end of the text"),
        (elementwise("linalg.yield %i0 : f32")[:-40], ""),
    ],
)  # fmt: skip
def test_refusals(text: str, message: str) -> None:
    with pytest.raises(ProgramError) as caught:
        read_mlir(text)
    assert message in str(caught.value)
    assert "the MLIR text, line " in str(caught.value) and str(caught.value).rstrip(" ").endswith("^")


def test_a_body_that_doubles() -> None:
    """Shared terms of a body are a graph; taken as a tree they would be 2 to the 60."""
    body = "".join(f"%v{number + 1} = arith.addf %v{number}, %v{number} : f32\n" for number in range(60))
    text = elementwise(f"%v0 = math.exp %i0 : f32\n{body}linalg.yield %v60 : f32")
    with pytest.raises(ProgramError, match="%v7 is made of more than 200 operations; split the body"):
        read_mlir(text)


def test_damaged_text() -> None:
    """Whatever is cut out or put in, the answer is a program or one error of ours, soon."""
    text = gcn_layer()
    rng = np.random.default_rng(0)
    for _ in range(200):
        at, more = int(rng.integers(len(text))), str(rng.choice(["", "<", "{", '"', "%", "0x", "(" * 50, "->"]))
        changed = text[:at] + more + text[at + int(rng.integers(5)) :]
        try:
            read_mlir(changed if rng.random() < 0.8 else text[:at])
        except FuseflowError:
            continue
