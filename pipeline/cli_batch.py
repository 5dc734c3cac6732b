"""The batch commands of `ridealong`: parse, call the function of the same name, print."""
