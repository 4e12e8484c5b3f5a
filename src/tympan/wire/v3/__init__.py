"""Protocol v3, US profile: messages, parameters, and the two sides of a connection."""
