"""The einsum graph of a program as DOT text: statements as boxes, inputs as ovals, fusion regions as clusters.

An edge inside a region is a stream (solid); one between regions is a tensor that is stored and read again (dashed, with
the word). Elements carry ids that the page finds in the SVG: ``stmt-<name>``, ``input-<name>``,
``flow-<producer>-><consumer>`` and ``region-<name>``.
"""

from fuseflow.einsum import Program, Statement
from fuseflow.einsum.show import show_access, show_expression, show_statement
from fuseflow.schedule import Schedule
from fuseflow_widgets.edits import edges, fused

FONT = "Helvetica,Arial,sans-serif"
_WIDEST_LABEL = 34


def program_dot(program: Program, schedule: Schedule) -> str:
    """DOT text of ``program`` with the regions of ``schedule``, the same for equal arguments."""
    lines = [
        "digraph program {",
        f'  graph [fontname="{FONT}", nodesep=0.25, ranksep=0.32, bgcolor=transparent, tooltip=" "];',
        f'  node [fontname="{FONT}", fontsize=11, shape=box, style="rounded,filled", fillcolor="#FFFFFF", '
        'color="#444444", height=0.3, margin="0.1,0.05"];',
        f'  edge [fontname="{FONT}", fontsize=9, arrowsize=0.6];',
    ]
    for number, region in enumerate(schedule.regions):
        lines.append(f"  subgraph {_quoted(f'cluster_{number}')} {{")
        lines.append(
            f"    graph [label={_quoted(region.name)}, id={_quoted(f'region-{region.name}')}, class=region, "
            'style="rounded,filled", color="#0072B2", penwidth=1.6, fillcolor="#EEF5FB", fontsize=12, labeljust=l];'
        )
        lines += [f"    {_statement(program.statement(name))}" for name in region.statements]
        lines.append("  }")
    # Barriers stand between the regions.
    lines += [f"  {_layout(statement)}" for statement in program.statements if statement.is_layout]
    for tensor in program.inputs:
        size = "×".join(map(str, tensor.shape))
        label = f"{tensor.name}\n{size} {tensor.format}" if size else tensor.name
        lines.append(
            f"  {_quoted(tensor.name)} [label={_quoted(label)}, id={_quoted(f'input-{tensor.name}')}, class=input, "
            f'shape=oval, style=filled, fillcolor="#F4F4F4", color="#888888", fontsize=9, margin="0.03,0.01", '
            f"tooltip={_quoted(f'input {tensor.name}, {size}, stored as {tensor.format}')}];"
        )
    inputs = {tensor.name for tensor in program.inputs}
    for statement in program.statements:
        for name in dict.fromkeys(access.tensor for access in statement.operands):
            if name in inputs:
                lines.append(
                    f'  {_quoted(name)} -> {_quoted(statement.name)} [color="#999999", class=reads, arrowsize=0.5];'
                )
    for edge in edges(program):
        lines.append(_edge(edge, fused(schedule, edge)))
    return "\n".join([*lines, "}", ""])


def statement_text(statement: Statement) -> str:
    """``T[i,j] = A[i,k] * X[k,j]``, with its reduction."""
    over = f"[{','.join(statement.reduced)}]"
    return f"{show_access(statement.output)} = {show_expression(statement.expression, over)}"


def _statement(statement: Statement) -> str:
    over = f"[{','.join(statement.reduced)}]"
    left, right = show_access(statement.output), show_expression(statement.expression, over)
    one_line = f"{left} = {right}"
    label = one_line if len(one_line) <= _WIDEST_LABEL else f"{left} =\n{right}"
    where = f"\nfrom {statement.origin.source}" if statement.origin.source else ""
    return (
        f"{_quoted(statement.name)} [label={_quoted(label)}, id={_quoted(f'stmt-{statement.name}')}, class=statement, "
        f"tooltip={_quoted(one_line + where)}];"
    )


def _layout(statement: Statement) -> str:
    """A statement that only moves stored elements: outside of every region."""
    text = show_statement(statement)
    words = f"{text}\nmoves stored elements between regions; belongs to none"
    return (
        f"{_quoted(statement.name)} [label={_quoted(text)}, id={_quoted(f'barrier-{statement.name}')}, "
        'class=layout, shape=parallelogram, style=filled, fillcolor="#FFF3C4", fontsize=9, margin="0,0", '
        f"tooltip={_quoted(words)}];"
    )


def _edge(edge: tuple[str, str], inside: bool) -> str:
    source, target = edge
    look = (
        'class="flow fused", color="#222222", penwidth=1.4'
        if inside
        else 'class="flow boundary", color="#B84E00", fontcolor="#B84E00", penwidth=2, style=dashed, label=" stored"'
    )
    words = (
        f"{source} streams into {target}: one region. Click or press Enter to cut here"
        if inside
        else f"{source} is stored, then read by {target}: a boundary. Click or press Enter to merge the two regions"
    )
    ids = f"id={_quoted(f'flow-{source}->{target}')}, tooltip={_quoted(words)}"
    return f"  {_quoted(source)} -> {_quoted(target)} [{ids}, {look}];"


def _quoted(value: str) -> str:
    text = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'
