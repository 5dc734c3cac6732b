"""A bucket of recordings through the pipeline: plan, claim, work, finish. Completion is what the ledger says."""
