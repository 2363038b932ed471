"""The two worked examples of the compiler notes (3.11 and 3.12) and the fused GCN: fusion, tables, node lists."""

import pytest

from fuseflow.dataflow.graph import Graph
from fuseflow.einsum import parse
from fuseflow.fusion import fuse
from fuseflow.lowering import Lowered, lower
from fuseflow.schedule import Schedule
from tests.lowering.oracle import assert_same

CHAIN = """
A[64,64]: cc
X[64,16]: dd
W[16,8]: cc
T[i,j] = A[i,k] * X[k,j]
Y[i,l] = T[i,j] * W[j,l]
"""

ATTENTION = """
Q[8,4]: dd
K[4,8]: "dd:1,0"
M[8,8]: cc
V[8,5]: dd
S[m,n] = Q[m,d] * K[d,n]
B[m,n] = mask(S[m,n], M[m,n])
P[m,n] = B[m,n] * M[m,n]
mx[m] = max(P[m,n])
D[m,n] = P[m,n] - mx[m]
E[m,n] = exp(D[m,n])
s[m] = sum(E[m,n])
R[m,n] = E[m,n] / s[m]
O[m,e] = R[m,n] * V[n,e]
"""


def lowered(text: str) -> Lowered:
    program = parse(text)
    return lower(fuse(program, Schedule.full(program).regions[0]))


def test_chain_fuses_to_one_order() -> None:
    program = parse(CHAIN)
    region = fuse(program, Schedule.full(program).regions[0])
    assert [view.name for view in region.views] == ["A", "X", "T", "W", "Y"]
    assert {(item.outer, item.inner) for item in region.partial_order.constraints} == {
        ("i", "k"),
        ("k", "j"),
        ("j", "l"),
    }
    assert list(region.orders()) == [("i", "k", "j", "l")]


def test_chain_table() -> None:
    table = lowered(CHAIN).table
    assert table.rows == ("i", "k", "j", "l", "val")
    assert table.columns == ("A", "X", "T", "W", "Y")
    wanted = {
        "i": ["LScan(root)", "Repeat_i(root, A)", "Ptr(A)", "Repeat_i(root, T)", "Ptr(T)"],
        "k": ["∩k(A, X)[0]", "∩k(A, X)[1]", "Redirect", "Redirect", "Redirect"],
        "j": ["Repeat_j(prev, X)", "LScan(prev)", "∩j(Spacc1_k, W)[0]", "∩j(Spacc1_k, W)[1]", "Redirect"],
        "l": ["Redirect", "Redirect", "Redirect", "LScan(prev)", "Spacc1_j"],
        "val": ["ValRead", "ValRead", "∩j(Spacc1_k, W)[0]", "ValRead", "Spacc1_j.val"],
    }
    assert {row: [table[row, column].label for column in table.columns] for row in table.rows} == wanted


FIGURE_20 = """
i: LS(root) | Rep(root, A.i) | A.i | Rep(root, T0.i) | T0.i
l: LS(A.i) & LS(X.i) | LS(A.i) & LS(X.i) | T0.i | W.i | Y.i
m: Rep(A.l, X.m) | LS(X.l) | Red1_l & LS(W.l) | Red1_l & LS(W.l) | Y.l
j: A.m | X.m | T0.m | LS(W.m) | Red1_m
val: Val(A.j) | Val(X.j) | Red1_l & LS(W.l) | Val(W.j) | Red1_m
"""
"""The paper's table of T_nbor[i,j] = A[i,l] * X[l,m] * W[m,j] with T_nbor called Y, a cell that is merged with its
neighbour written in both columns, and the repeat of T0's values with the operation that reads them."""


def test_figure_20_cell_by_cell() -> None:
    table = lowered("A[6,6]: cc\nX[6,5]: dd\nW[5,3]: cc\nT0[i,m] = A[i,l] * X[l,m]\nY[i,j] = T0[i,m] * W[m,j]").table
    rows = [line.partition(": ")[::2] for line in FIGURE_20.strip().splitlines()]
    assert table.rows == tuple(row for row, _ in rows)
    assert table.columns == ("A", "X", "T0", "W", "Y")
    for number, (row, cells) in enumerate(rows):
        above = rows[number - 1][0] if number else ""
        for column, wanted in zip(table.columns, cells.split(" | "), strict=True):
            found = table[row, column]
            match wanted:
                case "LS(root)":
                    assert found.label == "LScan(root)"
                case _ if "&" in wanted and row == "l":
                    assert found.label.startswith("∩l(A, X)")
                case _ if "&" in wanted:
                    assert found.label.startswith("∩m(Spacc1_l, W)")
                case _ if wanted.startswith("Rep(root"):
                    assert found.label == f"Repeat_{row}(root, {wanted[10:].partition('.')[0]})"
                case "Rep(A.l, X.m)":
                    assert found.label == "Repeat_m(prev, X)"
                case _ if wanted.startswith("LS("):
                    assert found.label == "LScan(prev)"
                    assert wanted == f"LS({column}.{above})"
                case _ if wanted.startswith("Val("):
                    assert found.label == "ValRead"
                    assert wanted == f"Val({column}.{above})"
                case "Red1_m":
                    assert found.label in ("Spacc1_m", "Spacc1_m.val")
                case _:  # a mere reference to another cell becomes no node
                    assert found.label.startswith(("Ptr(", "Redirect")), (row, column)
                    assert found.nodes == ()


def test_chain_node_list() -> None:
    graph = lowered(CHAIN).graph
    assert len(graph) == 22
    assert_same(
        graph,
        """
        0 root A
        1 scan A.i C < 0
        2 scan A.k C < 1
        3 locate k < 2
        4 scan X.j D < 3
        5 repeat j < 3 4
        6 val A < 5
        7 val X < 4
        8 mul < 6 7
        9 spacc1 j|k < 4 3 8
        10 root W
        11 repeat i < 10 1
        12 scan W.j C < 11
        13 intersect2 j < 9 12
        14 scan W.l C < 13
        15 val W < 14
        16 repeat l < 13 14
        17 mul < 16 15
        18 spacc1 l|j < 14 13 17
        19 write i < 1
        20 write l < 18
        21 write val < 18
        """,
    )


def test_cells_name_nodes_of_the_graph() -> None:
    result = lowered(CHAIN)
    names = {node.name for node in result.graph}
    named = {node for cell in result.table.cells.values() for node in cell.nodes}
    assert named <= names
    assert result.table["k", "X"].node == result.table["k", "A"].node == "locate_X_k"
    assert result.table["val", "A"].node == "values_A"
    assert result.table["val", "Y"].nodes == ("accumulate_Y", "mul_Y", "repeat_T_l")
    assert {name for name in names - named if not name.startswith("write")} == set()


def test_attention_shares_the_scores() -> None:
    program = parse(ATTENTION)
    region = fuse(program, Schedule.full(program).regions[0])
    assert [view.name for view in region.views].count("S") == 1
    assert region.partial_order.variables == ("m", "d", "n", "e")


def test_attention_table() -> None:
    result = lowered(ATTENTION)
    table = result.table
    assert result.order == ("m", "n", "d", "e")
    wanted = {
        ("m", "Q"): "∩m(Q, M)[0]",
        ("m", "K"): "Repeat_m(root, Q)",
        ("m", "S"): "Ptr(Q)",
        ("m", "M"): "∩m(Q, M)[1]",
        ("m", "P"): "Ptr(M)",
        ("m", "mx"): "Ptr(P)",
        ("n", "Q"): "Repeat_n(prev, K)",
        ("n", "K"): "∩n(K, M, V)[0]",
        ("n", "M"): "∩n(K, M, V)[1]",
        ("n", "V"): "∩n(K, M, V)[2]",
        ("n", "S"): "Ptr(K)",
        ("n", "O"): "Redirect",
        ("d", "Q"): "∩d(Q, K)[0]",
        ("d", "K"): "∩d(Q, K)[1]",
        ("e", "V"): "LScan(prev)",
        ("e", "O"): "Spacc1_n",
        ("val", "S"): "Reduce_d(mul)",
        ("val", "mx"): "max_n(P)",
        ("val", "R"): "div(E, s)",
        ("val", "O"): "Spacc1_n.val",
    }
    assert {place: table[place].label for place in wanted} == wanted


def test_attention_node_list() -> None:
    # With a mask that has no empty row, as the notes take for granted, the reductions need no guard.
    from fuseflow.formats import Fill

    program = parse(ATTENTION)
    full = (Fill.NONEMPTY, Fill.NONEMPTY)
    graph = lower(fuse(program, Schedule.full(program).regions[0]), None, {"M": full}).graph
    assert len(graph) == 36
    assert_same(
        graph,
        """
        0 root M
        1 scan M.m C < 0
        2 locate m < 1
        3 root K
        4 repeat m < 3 2
        5 scan K.n D < 4
        6 scan M.n C < 2
        7 root V
        8 repeat m < 7 2
        9 scan V.n D < 8
        10 intersect3 n < 5 6 9
        11 repeat n < 2 10
        12 scan Q.d D < 11
        13 scan K.d D < 10
        14 intersect2 d < 12 13
        15 val Q < 14
        16 val K < 14
        17 mul < 15 16
        18 reduce sum < 17
        19 val M < 10
        20 mul < 18 19
        21 reduce max < 20
        22 repeat n < 21 10
        23 sub < 20 22
        24 exp < 23
        25 reduce sum < 24
        26 repeat n < 25 10
        27 div < 24 26
        28 scan V.e D < 10
        29 val V < 28
        30 repeat e < 27 28
        31 mul < 30 29
        32 spacc1 e|n < 28 10 31
        33 write m < 2
        34 write e < 32
        35 write val < 32
        """,
    )


def test_storage_order_of_k_decides_whether_the_mask_samples_or_filters() -> None:
    # Stored d outside n, the product is accumulated over d and the mask only filters it (compiler notes 3.12, end).
    result = lowered(ATTENTION.replace('"dd:1,0"', "dd"))
    assert result.order == ("m", "d", "n", "e")
    assert result.table["n", "S"].label == "∩n(Spacc1_d, M, V)[0]"


@pytest.mark.parametrize(
    ("schedule", "nodes"),
    [("full", [61]), ("partial", [29, 35]), ("unfused", [13, 15, 13, 8, 13, 15, 13, 14])],
)
def test_gcn_node_counts(schedule: str, nodes: list[int]) -> None:
    import fuseflow as ff

    model = ff.models.gcn("karate")
    compiled = ff.compile(model, schedule)
    assert [len(region.graph) for region in compiled.regions] == nodes


def gcn_graph() -> Graph:
    import fuseflow as ff

    return ff.compile(ff.models.gcn("karate"), "full").regions[0].graph


def test_fused_gcn_node_list() -> None:
    # The list of compiler notes 6.2: i, u = j, v = j2, F = k, H = l, C = m.
    names = {"A": "adjacency", "X": "x", "W1": "conv1_linear_weight", "b1": "conv1_linear_bias"}
    names |= {"W2": "conv2_linear_weight", "b2": "conv2_linear_bias"}
    text = """
        0 root A
        1 scan A.i C < 0
        2 scan A.j C < 1
        3 repeat i < 0 1
        4 scan A.j C < 3
        5 intersect2 j < 2 4
        6 scan A.j2 C < 5
        7 locate j2 < 6
        8 scan X.k D < 7
        9 repeat k < 7 8
        10 val A < 9
        11 val X < 8
        12 mul < 10 11
        13 spacc1 k|j2 < 8 7 12
        14 root W1
        15 repeat i < 14 1
        16 repeat j < 15 5
        17 scan W1.k C < 16
        18 intersect2 k < 13 17
        19 scan W1.l C < 18
        20 val W1 < 19
        21 repeat l < 18 19
        22 mul < 20 21
        23 spacc1 l|k < 19 18 22
        24 root b1
        25 repeat i < 24 1
        26 repeat j < 25 5
        27 scan b1.l D < 26
        28 union2 l < 23 27
        29 repeat l < 5 28
        30 val A < 29
        31 val b1 < 28
        32 add < 28 31
        33 relu < 32
        34 mul < 30 33
        35 spacc1 l|j < 28 5 34
        36 root W2
        37 repeat i < 36 1
        38 scan W2.l C < 37
        39 intersect2 l < 35 38
        40 scan W2.m C < 39
        41 val W2 < 40
        42 repeat m < 39 40
        43 mul < 41 42
        44 spacc1 m|l < 40 39 43
        45 root b2
        46 repeat i < 45 1
        47 scan b2.m D < 46
        48 union2 m < 44 47
        49 val b2 < 48
        50 add < 48 49
        51 reduce max < 50
        52 repeat m < 51 48
        53 sub < 50 52
        54 exp < 53
        55 reduce sum < 54
        56 repeat m < 55 48
        57 div < 54 56
        58 write i < 1
        59 write m < 48
        60 write val < 57
    """
    for short, long in names.items():
        text = text.replace(f" {short}.", f" {long}.").replace(f"root {short} <", f"root {long} <")
        text = text.replace(f"root {short}\n", f"root {long}\n").replace(f"val {short} ", f"val {long} ")
    assert_same(gcn_graph(), text)


def test_a_node_finds_its_cells() -> None:
    table = lowered(CHAIN).table
    assert table.cells_of("locate_X_k") == (("k", "A"), ("k", "X"))
    assert table.cells_of("write_Y_i") == ()
