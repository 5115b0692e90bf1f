"""Pure facts of the trade and their transitions: no I/O, no clock."""
