"""What a provider can do, as one base class, and the values that its methods take and return."""
