"""The email adapters, one provider a file."""
