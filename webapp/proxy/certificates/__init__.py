"""Certificates: asked for at Nginx Proxy Manager, put to use at hosts, and watched until they expire."""
