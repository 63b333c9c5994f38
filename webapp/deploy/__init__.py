"""Apps and their instances: containers deployed to names, behind a proxy host, with versions to go back to."""
