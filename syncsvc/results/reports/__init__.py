"""Reports of test runs, read into results: JUnit XML and CTRF."""

from syncsvc.results.reports.files import read_reports
from syncsvc.results.reports.model import BadReport, Found, Naming

__all__ = ["BadReport", "Found", "Naming", "read_reports"]
