"""Keys of results: a hash of everything a result depends on."""

import hashlib
import json
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from fuseflow.einsum import Program
from fuseflow.formats import CompressedLevel, DenseLevel, FiberTree
from fuseflow.schedule import Schedule
from fuseflow.sim.machine import Machine

_hashes: "WeakKeyDictionary[FiberTree, str]" = WeakKeyDictionary()


def result_key(
    program: Program, schedule: Schedule, tensors: Mapping[str, FiberTree], machine: Machine, version: str
) -> str:
    """Hash of a result's program, schedule (but its names), data, machine and version of fuseflow."""
    described = json.loads(schedule.to_json())
    regions = described["regions"]
    for region in regions:
        del region["name"]
    content = [
        repr(program),
        [[tensor.name, tensor.shape, str(tensor.format)] for tensor in program.tensors],
        regions,
        {name: tensor_hash(tree) for name, tree in sorted(tensors.items())},
        repr(machine),
        version,
    ]
    if "blocks" in described:
        blocks = described["blocks"]
        content.append(blocks if isinstance(blocks, int) else sorted(blocks.items()))
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def tensor_hash(tree: FiberTree) -> str:
    """Hash of a tensor's shape, format, storage and values; remembered as long as the tensor lives."""
    if tree not in _hashes:
        found = hashlib.sha256(f"{tree.shape} {tree.format}".encode())
        for level in tree.levels:
            match level:
                case DenseLevel(size):
                    found.update(str(size).encode())
                case CompressedLevel(segments, coordinates):
                    found.update(segments.tobytes())
                    found.update(coordinates.tobytes())
                case other:
                    found.update(other.coordinates.tobytes())
        found.update(tree.values.tobytes())
        _hashes[tree] = found.hexdigest()
    return _hashes[tree]
