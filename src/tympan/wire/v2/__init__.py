"""The legacy real-time protocol v2, as the hosted service spoke it until it was retired."""
