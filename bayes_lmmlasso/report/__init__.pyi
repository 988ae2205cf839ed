from .page import report_html

__all__ = [
    "report_html",
]
