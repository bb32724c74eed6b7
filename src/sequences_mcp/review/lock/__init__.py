"""What proves that the person is at the page or panel: passphrase, passkeys, browser sessions, counted tries."""
