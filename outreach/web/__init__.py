"""Events API, provider callbacks, call answers."""
