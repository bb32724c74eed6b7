"""What can go wrong between a client and a vendor, on demand."""
