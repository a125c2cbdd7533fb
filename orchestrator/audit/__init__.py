"""The logs of others, judged and measured: what can be proved from them, by which evidence."""

from orchestrator.audit.check import check, known
from orchestrator.audit.measure import measure

__all__ = ["check", "known", "measure"]
