"""The settings: one form over general, proxy and DNS settings, saved together or not at all."""
