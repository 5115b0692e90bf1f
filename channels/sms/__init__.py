"""The sms adapters, one provider a file."""
