"""One use case a file: load, decide, save. No SQL, no HTTP."""
