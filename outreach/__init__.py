"""Outreach: the worker a lender runs to remind borrowers of payments, lawfully, and to hear their answers."""
