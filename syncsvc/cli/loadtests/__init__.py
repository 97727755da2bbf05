"""What the commands of `syncsvc k6` do and say."""
