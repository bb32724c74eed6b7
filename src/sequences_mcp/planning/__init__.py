"""What a start would do: recipients, rendered texts, times, warnings, who is left out. Nothing is stored here."""
