"""Results that are held back until their run is over."""
