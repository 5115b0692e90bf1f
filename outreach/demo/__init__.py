"""The demo: the real system on a stepped clock, a book of fictional borrowers, and a lender who sends events."""
