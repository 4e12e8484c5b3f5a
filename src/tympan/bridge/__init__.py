"""The bridge: v2 clients in, any v3 service out. Pieces of the server and of the client round `wire.bridge`."""
