"""ridealong: recordings of sales calls in, scorecards out.

Data flows one way: recording -> call (who said what when) -> evidence -> levels -> scorecard.
`docs/architecture.md` is the map; `pipeline.score` is the product in one module.
"""

__version__ = "0.1.0"
