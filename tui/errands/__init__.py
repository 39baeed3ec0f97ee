"""What a person can have done beside answering; the app is made of these."""
