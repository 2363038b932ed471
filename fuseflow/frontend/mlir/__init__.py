"""Programs from MLIR text, as the published model files are written: ``linalg`` on tensors with sparse encodings."""

from fuseflow.frontend.mlir.program import MlirProgram, read_mlir

__all__ = ["MlirProgram", "read_mlir"]
