"""Template catalog and strict sandboxed rendering."""
