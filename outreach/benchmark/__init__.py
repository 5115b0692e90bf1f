"""What `outreach bench` measures: delivery, scan, decide and trigger, on the real parts and this machine."""
