"""The ivr adapters, one provider a file."""
