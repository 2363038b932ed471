"""Reports: charts as pure functions of DataFrames, reference values, and one self-contained HTML page.

Altair is loaded only when a chart or a page is made.
"""

from typing import TYPE_CHECKING, Any

from fuseflow.report.folder import check_writable
from fuseflow.report.reference import REFERENCE_SOURCE, reference_cycles

if TYPE_CHECKING:
    from fuseflow.report.html import write_report

__all__ = ["REFERENCE_SOURCE", "check_writable", "reference_cycles", "write_report"]


def __getattr__(name: str) -> Any:
    if name == "write_report":
        from fuseflow.report.html import write_report

        return write_report
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
