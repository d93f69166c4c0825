"""What is handed to a carrier or a bank: one summary to read, the photos, and the facts."""
