"""Clients, the resource that leaders write to, and the networks between them and the servers."""
