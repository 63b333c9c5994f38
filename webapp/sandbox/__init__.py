"""Stand-ins that speak NPM's and Cloudflare's HTTP on loopback, for trying the panel and for its tests."""
