"""Pure: words or digits -> intent; the dialogue state machine."""
