"""What the commands of `syncsvc sync` do and say."""
