"""Experiment: what a YAML file asks for, with errors that name file, line and column."""

from orchestrator.config.experiment import Experiment, experiment_schema
from orchestrator.config.load import load_experiment, parse_experiment

__all__ = ["Experiment", "experiment_schema", "load_experiment", "parse_experiment"]
