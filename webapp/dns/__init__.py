"""Names, claims, plans and rounds: keeps the records at the provider in step with what is proxied."""
