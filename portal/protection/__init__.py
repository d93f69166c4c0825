"""Cover for the journey: prices, quotes and claims, as pure functions."""
