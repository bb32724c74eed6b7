"""What is stored: a unit of work with one repository a noun, and the database behind them."""
