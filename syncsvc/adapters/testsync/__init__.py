"""TestSync's protocol: data over HTTP, checkpoints and commands over WebSocket."""
