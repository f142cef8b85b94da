"""Who may do what: tokens, logins, and the store as whoever asks may see it."""
