"""From v2 to v3: tools for programs and services that migrate."""
