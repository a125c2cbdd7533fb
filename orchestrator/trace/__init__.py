"""The record of a run, as columns, and what can be proved and measured from it."""
