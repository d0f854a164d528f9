"""Questions that are asked of a dataset before anybody trusts it: one module a question."""
