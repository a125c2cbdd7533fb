"""Write the JSON Schema of an experiment: `python -m orchestrator.config > configs/schema.json`."""

import json

from orchestrator.config import experiment_schema

if __name__ == "__main__":
    print(json.dumps(experiment_schema(), indent=2))
