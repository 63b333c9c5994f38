"""Proxy hosts: the client of Nginx Proxy Manager, and the standalone proxies made with it."""
