"""What the server asks of others: webhooks that it posts, and a language model that it questions."""
