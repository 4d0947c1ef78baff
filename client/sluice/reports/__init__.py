"""What a pipeline shows of an outcome: JUnit XML, Markdown, and annotations."""

from sluice.reports.outcome import Outcome

__all__ = ["Outcome"]
