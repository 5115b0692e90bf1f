"""The channels: adapters that carry one rendered touch to one address. Imports nothing of outreach."""
