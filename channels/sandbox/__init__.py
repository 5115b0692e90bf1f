"""A local carrier: Twilio-compatible HTTP API, SMTP server and scripted borrowers, for tests and the demo."""
