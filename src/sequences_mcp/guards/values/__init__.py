"""The fourth moment: what a contact's own data may look like before a text that holds it leaves unseen."""
