"""The gate. Pure: facts + rules + instant -> Decision, every reason kept."""
