"""The audit trail: who did what, chained so that nothing can be taken out unseen."""
