"""tympan: self-hosted real-time speech-to-text."""
