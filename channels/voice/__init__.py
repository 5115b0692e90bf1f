"""The voice adapters, one provider a file."""
