"""What the batch commands show: the plan, a live view, tables of failures and of what a ledger holds."""
