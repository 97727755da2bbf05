"""Every command a worker can give, the same over WebSocket, HTTP and the command line."""
