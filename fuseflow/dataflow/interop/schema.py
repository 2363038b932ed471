"""The reference simulator's graph schema (simulator §6.1, §6.2), built here from its description: no compiler needed.

Field numbers from ``EXTENSION`` on are ours: what a graph of ours says and the reference's schema cannot. A reader that
does not know them passes over them, as protobuf prescribes.
"""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "tortilla"
EXTENSION = 1000

_SCALARS = {
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "uint64": descriptor_pb2.FieldDescriptorProto.TYPE_UINT64,
    "int64": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
    "double": descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE,
}

_STREAMS = ("RefStream", "ValStream", "CrdStream", "RepSigStream")
_KINDS = {"crd": "Crd", "ref": "Ref", "val": "Val", "repsig": "RepSig"}

_ENUMS: dict[str, dict[str, int]] = {
    "Joiner.JoinType": {"INTERSECT": 0, "UNION": 1},
    "ALU.ALUOp": {
        "ADD": 0, "SUB": 1, "MUL": 2, "DIV": 3, "EXP": 4, "SIN": 5, "COS": 6, "MAX": 7, "SCALARADD": 8, "SCALARMUL": 9,
        "SCALARDIV": 10, "RSQRT": 11, "SIGMOID": 12, "ELEMMUL": 13, "X_NEG": 1000, "X_LOG": 1001, "X_SQRT": 1002,
        "X_TANH": 1003, "X_IDENTITY": 1004, "X_MAXIMUM": 1005, "X_MINIMUM": 1006, "X_ABS": 1007, "X_SQUARE": 1008,
        "X_RECIPROCAL": 1009, "X_GELU": 1010, "X_GELU_TANH": 1011, "X_SILU": 1012, "X_POW_SCALAR": 1013,
        "X_MIN_SCALAR": 1014, "X_LEAKY_RELU": 1015, "X_ELU": 1016,
    },
    "Reduce.ReduceType": {"ADD": 0, "MAX": 1, "ADDSUM": 2},
}  # fmt: skip
"""Enums, each within the message that uses it, so that its names are its own."""

_MESSAGES: dict[str, str] = {
    # message: fields as `name=number [repeated] type`; a group in brackets is a oneof.
    "Payload": "[stream: ref_stream=1 RefStream, val_stream=2 ValStream]",
    "JoinBundle": "crd=1 CrdStream, in_ref=2 Payload",
    "Generator": "label=1 string, tensor=2 string, output_ref=3 RefStream",
    "Joiner": "join_type=1 Joiner.JoinType, input_pairs=2 repeated JoinBundle, index=3 string, label=4 string, "
    "output_refs=5 repeated Payload, output_crd=6 CrdStream",
    "FiberLookup": "input_ref=2 RefStream, output_ref=3 RefStream, output_crd=4 CrdStream, index=5 string, "
    "tensor=6 string, mode=7 uint64, format=8 string, src=9 bool, root=10 bool, label=11 string, "
    "x_level=1000 uint64, x_extent=1001 uint64, x_forward=1002 bool",
    "FiberWrite": "ref=1 bool, input_crd=2 CrdStream, index=3 string, tensor=4 string, mode_val=5 string, "
    "format=6 string, segsize=7 string, crdsize=8 string, size=9 string, sink=10 bool, label=11 string, "
    "x_level=1000 uint64",
    "ValWrite": "input_val=1 ValStream, label=2 string, crdsize=3 string, segsize=4 string, tensor=5 string, "
    "sink=6 bool",
    "Repeat": "[input_ref: in_ref=1 RefStream, in_val=2 ValStream], [output_ref: out_ref=3 RefStream, out_val=4 "
    "ValStream], [input_rep_sig: rep_ref=5 RefStream, rep_val=6 ValStream, x_rep_crd=1000 CrdStream], label=7 string, "
    "index=8 string, root=9 bool, tensor=10 string, x_forward=1001 bool",
    "RepeatSig": "input_crd=1 CrdStream, output_rep_sig=2 RepSigStream, label=3 string, index=4 string, "
    "x_input_ref=1000 RefStream, x_input_val=1001 ValStream",
    "ALU": "[conn: vals=1 ALU_Val, crds=2 ALU_Crd], stages=3 repeated Stage, output_val=4 uint64, label=5 string, "
    "stream_shape=6 uint64, blocked=7 bool, scalar=8 double",
    "ALU_Val": "inputs=1 repeated ValStream, output=2 ValStream",
    "ALU_Crd": "inputs=1 repeated CrdStream, output=2 CrdStream",
    "Stage": "inputs=1 repeated uint64, output=2 uint64, op=3 ALU.ALUOp",
    "Reduce": "input_val=1 ValStream, output_val=2 ValStream, label=3 string, stream_shape=4 uint64, blocked=5 bool, "
    "reduce_type=6 Reduce.ReduceType, x_guard=1000 CrdStream",
    "GenRef": "input_crd=1 ValStream, output_ref=2 ValStream, label=3 string",
    "SparseAccumulator": "input_inner_crd=1 CrdStream, output_inner_crd=2 CrdStream, input_outer_crds=3 repeated "
    "CrdStream, input_val=4 ValStream, output_val=5 ValStream, order=6 uint64, inner_crd=7 string, outer_crds=8 "
    "repeated string, label=9 string, output_outer_crds=10 repeated CrdStream, stream_shape=11 uint64, blocked=12 "
    "bool, x_extents=1000 repeated uint64",
    "CoordHold": "input_inner_crd=1 CrdStream, input_outer_crd=2 CrdStream, output_inner_crd=3 CrdStream, "
    "output_outer_crd=4 CrdStream, inner_crd=5 string, outer_crd=6 string, label=7 string",
    "CoordDrop": "input_inner_crd=1 CrdStream, input_outer_crd=2 CrdStream, output_inner_crd=3 CrdStream, "
    "output_outer_crd=4 CrdStream, inner_crd=5 string, outer_crd=6 string, label=7 string",
    "CoordMask": "input_inner_crd=1 CrdStream, input_outer_crd=2 CrdStream, input_ref=3 RefStream, "
    "output_inner_crd=4 CrdStream, output_outer_crd=5 CrdStream, output_ref=6 RefStream, x_outer=1000 string, "
    "x_inner=1001 string, x_masked=1002 string",
    "Locate": "input_crd=1 CrdStream, input_ref=2 RefStream, output_ref1=3 RefStream, output_ref2=4 RefStream, "
    "output_crd=5 CrdStream, label=6 string, x_tensor=1000 string, x_level=1001 uint64, x_index=1002 string, "
    "x_extent=1003 uint64, x_parent=1004 RefStream, x_input_val=1005 ValStream, "
    "x_input_crd=1006 CrdStream",
    "ArrayVals": "tensor=1 string, input_ref=2 RefStream, output_val=3 ValStream, label=4 string, stream_shape=5 "
    "uint64, blocked=6 bool",
    "Intrinsic": "name=1 string, input_val=2 ValStream, inputs=3 repeated CrdStream, output_val=4 ValStream, "
    "outputs=5 repeated CrdStream",
    "Operation": "name=1 string, id=2 uint64, [op: root=11 Generator, joiner=12 Joiner, fiber_lookup=13 FiberLookup, "
    "fiber_write=14 FiberWrite, repeat=15 Repeat, repeatsig=16 RepeatSig, alu=17 ALU, reduce=18 Reduce, "
    "coord_hold=19 CoordHold, coord_mask=20 CoordMask, coord_drop=21 CoordDrop, array=22 ArrayVals, spacc=23 "
    "SparseAccumulator, val_write=24 ValWrite, func=25 Intrinsic, broadcast=26 Broadcast, fork=27 Fork, join=28 Join, "
    "gen_ref=29 GenRef, locate=30 Locate], x_part=1000 string, x_role=1001 string",
    "ProgramGraph": "name=1 string, operators=2 repeated Operation",
    "Result": "tensor=1 string, shape=2 repeated uint64, mode_order=3 repeated uint64, indices=4 repeated string",
    "ComalGraph": "name=1 string, channel_size=2 uint64, graph=3 ProgramGraph, x_results=1000 repeated Result",
}


@cache
def comal_graph() -> type[Any]:
    """The message class of a whole graph file, ``tortilla.ComalGraph``."""
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_file())
    made: type[Any] = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.ComalGraph"))
    return made


def alu_op(number: int) -> str | None:
    """Name of the ALU operation of that number, if there is one."""
    return next((name for name, value in _ENUMS["ALU.ALUOp"].items() if value == number), None)


def enum_value(enum: str, name: str) -> int:
    """Number of value ``name`` of ``enum``."""
    return _ENUMS[enum][name]


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="comal.proto", package=PACKAGE, syntax="proto3")
    for name in _STREAMS:
        message = file.message_type.add(name=name)
        nested = message.nested_type.add(name="StreamID")
        _fields(nested, "id=1 uint64")
        _fields(message, f"id=1 {name}.StreamID, name=2 string")
    for name, text in {**_bundles(), **_MESSAGES}.items():
        _fields(file.message_type.add(name=name), text)
    homes = {message.name: message for message in file.message_type}
    for name, values in _ENUMS.items():
        home, _, own = name.partition(".")
        enum = homes[home].enum_type.add(name=own)
        for label, number in values.items():
            enum.value.add(name=label, number=number)
    return file


def _bundles() -> dict[str, str]:
    """Broadcast, Fork and Join with a bundle of streams for every kind."""
    made: dict[str, str] = {}
    for name, one, many in (
        ("Broadcast", "input", "outputs"),
        ("Fork", "input", "outputs"),
        ("Join", "output", "inputs"),
    ):
        for kind in _KINDS.values():
            made[f"{name}_{kind}Bundle"] = f"{one}=1 {kind}Stream, {many}=2 repeated {kind}Stream"
        choices = ", ".join(
            f"{field}={number} {name}_{kind}Bundle" for number, (field, kind) in enumerate(_KINDS.items(), 2)
        )
        made[name] = f"label=1 string, [conn: {choices}]"
    made["Join"] += ", x_guard=1000 CrdStream"
    return made


def _fields(message: descriptor_pb2.DescriptorProto, text: str) -> None:
    alone = []
    for part in _parts(text):
        if part.startswith("["):
            group, _, fields = part.strip("[]").partition(":")
            index = len(message.oneof_decl)
            message.oneof_decl.add(name=group.strip())
            for field in fields.split(","):
                _field(message, field).oneof_index = index
        else:
            field = _field(message, part)
            if field.number >= EXTENSION and field.label != field.LABEL_REPEATED and part.split()[-1] in _SCALARS:
                alone.append(field)
    for field in alone:  # fields of which one can tell whether they are there; protobuf wants their oneofs last
        field.proto3_optional, field.oneof_index = True, len(message.oneof_decl)
        message.oneof_decl.add(name=f"_{field.name}")


def _parts(text: str) -> list[str]:
    """Fields between commas, a bracketed group as one part."""
    parts, depth, current = [], 0, ""
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth == 0:
            parts.append(current.strip())
            current = ""
        else:
            current += letter
    return [*parts, current.strip()]


def _field(message: descriptor_pb2.DescriptorProto, text: str) -> descriptor_pb2.FieldDescriptorProto:
    head, *words = text.split()
    name, _, number = head.partition("=")
    repeated = words[0] == "repeated"
    kind = words[-1]
    field = message.field.add(name=name, number=int(number))
    proto = descriptor_pb2.FieldDescriptorProto
    field.label = proto.LABEL_REPEATED if repeated else proto.LABEL_OPTIONAL
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type = proto.TYPE_ENUM if kind in _ENUMS else proto.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{kind}"
    return field
