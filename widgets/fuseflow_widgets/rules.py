"""What a block does, in words: its rule, and which case of the rule a turn was.

The numbers are those of the simulator rules that the blocks' own documentation cites.
"""

from collections.abc import Mapping, Sequence
from typing import assert_never

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    Block,
    Concat,
    CoordDrop,
    CoordHold,
    CoordMask,
    CrdWriter,
    Flatten,
    Fork,
    Gather,
    Generator,
    Join,
    Joiner,
    LevelScanner,
    Locate,
    Reduce,
    Repeat,
    Repeater,
    RepeatSignal,
    Root,
    Sink,
    SparseAccumulator,
    StopDrop,
    UnaryALU,
    ValueDrop,
    ValWriter,
)
from fuseflow.dataflow.tokens import DONE, EMPTY, Stop, Token, show_tokens

Ports = Mapping[str, Sequence[Token]]


def rule(block: Block) -> tuple[str, str]:
    """Number and text of the rule of ``block``; a block that the reference does not have has no number."""
    match block:
        case Root() | Generator():
            return (
                "1.7",
                "sends the tokens it holds, one a cycle; a root holds the reference 0 of the whole tensor, then D",
            )
        case Sink():
            return "1.7", "takes one token a cycle and drops it"
        case LevelScanner(extent=None):
            return "3.1", (
                "for every reference sends the coordinates of its fiber, with references to those below, and a stop; "
                "a stop that comes in leaves one level higher"
            )
        case LevelScanner():
            return "3.2", "for every reference sends all coordinates 0 to extent-1, with their references, and a stop"
        case CrdWriter():
            return "3.4", "stores coordinates, and at every stop where a fiber ends"
        case ValWriter():
            return "3.5", "stores values; stops carry no data"
        case RepeatSignal():
            return "3.6", "sends R for every coordinate and S for every stop"
        case Repeat() | Repeater():
            return (
                "3.7",
                "sends its held reference once for every coordinate of the signal, and takes the next at every stop",
            )
        case Joiner(join=Join.INTERSECT):
            return (
                "3.8",
                "compares the heads: equal coordinates pass with their references; otherwise the smaller is dropped",
            )
        case Joiner():
            return (
                "3.9",
                "compares the heads: the smallest coordinate passes; an operand without it sends N for a reference",
            )
        case Array():
            return "3.11", "sends the value stored at every reference; N reads as 0"
        case BinaryALU():
            return "3.12", "computes one result from the heads of both inputs; stops must agree and pass"
        case UnaryALU():
            return "3.13", "computes one result per value; stops pass"
        case Reduce():
            return (
                "3.15",
                "folds the values of a fiber into one; the stop that ends the fiber sends it, one level lower",
            )
        case SparseAccumulator():
            return (
                "3.17",
                "adds values by coordinate; when the reduced fiber ends, sends the sums in order of their coordinates",
            )
        case CoordDrop():
            return "3.19", "drops outer coordinates whose inner fiber is empty"
        case CoordHold():
            return "3.20", "sends the outer coordinate once for every inner one"
        case Locate():
            return "3.21", "computes a reference into a dense level instead of searching for it"
        case Fork() | Gather():
            return "3.22", "deals fibers out to lanes in turn, or collects them in turn"
        case Concat():
            return (
                "of our own:",
                "sends the fiber of one input after the other, and then the stop that all of them have",
            )
        case CoordMask() | Flatten() | StopDrop() | ValueDrop():
            return "3.23", "changes the structure of a stream: masks, joins levels, or drops what is empty"
        case _:
            assert_never(block)


def turn(block: Block, taken: Ports, sent: Ports) -> str:
    """One sentence about a turn: the tokens ``taken`` and ``sent`` by port, and which case of the rule it was."""
    case = _case(block, taken, sent)
    moves = [f"takes {_list(taken)}"] if any(taken.values()) else []
    if any(sent.values()):
        moves.append(f"sends {_list(sent)}")
    text = ", ".join(moves) or "waits"
    return f"{text}: {case}" if case else text


def _list(ports: Ports) -> str:
    return ", ".join(f"{show_tokens(tokens)} on {port}" for port, tokens in ports.items() if tokens)


def _case(block: Block, taken: Ports, sent: Ports) -> str:
    heads = [tokens[0] for tokens in taken.values() if tokens]
    if heads and all(head is DONE for head in heads):
        return "the streams end"
    match block:
        case Joiner():
            return _joined(block, taken, sent)
        case LevelScanner() if heads and isinstance(heads[0], Stop):
            return f"a stop of the level above becomes S{heads[0].level + 1}"
        case LevelScanner() if heads:
            first = next((tokens[0] for tokens in sent.values() if tokens), None)
            return "the fiber is empty" if isinstance(first, Stop) else "a fiber begins"
        case LevelScanner():
            ends = any(isinstance(token, Stop) for tokens in sent.values() for token in tokens)
            return "the fiber ends" if ends else "the next coordinate of the fiber"
        case Reduce() if any(isinstance(head, Stop) for head in heads):
            return "the fiber ends, its total leaves"
        case Reduce() | SparseAccumulator() if heads and not any(sent.values()):
            return "added to the running total" if not any(isinstance(head, Stop) for head in heads) else "a fiber ends"
        case SparseAccumulator() if any(sent.values()):
            return "the reduced fiber has ended: the sums leave in order"
        case Array() if heads and not isinstance(heads[0], Stop):
            return "N reads as 0" if heads[0] is EMPTY else "a load"
        case BinaryALU() | UnaryALU() if heads and isinstance(heads[0], Stop):
            return "stops agree and pass"
        case _:
            return ""


def _joined(block: Joiner, taken: Ports, sent: Ports) -> str:
    crds = [tokens[0] for port, tokens in taken.items() if port.startswith("crd") and tokens]
    operands = len(block.payloads)
    if not crds:
        return ""
    shown = show_tokens(crds[:1])
    if len(crds) == operands:
        return (
            f"all heads are {shown}, so they pass" if not isinstance(crds[0], Stop) else f"all fibers end with {shown}"
        )
    if block.join is Join.INTERSECT:
        return f"{shown} is the smallest and not in every operand, so it is dropped"
    return f"{shown} is the smallest; the operands without it give N"
