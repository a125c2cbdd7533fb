"""Stories: executions written by hand, a line an event, of which the clocks are computed."""

from orchestrator.stories.parse import STORY, is_story, parse_story
from orchestrator.stories.tell import told

__all__ = ["STORY", "is_story", "parse_story", "told"]
