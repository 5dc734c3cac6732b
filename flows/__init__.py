"""Prefect flows: thin modules that make tasks and flows out of pipeline functions."""
