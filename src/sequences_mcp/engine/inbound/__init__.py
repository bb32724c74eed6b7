"""What comes back: read from the mailbox, told apart, matched with the runs it is about, and acted on."""
