"""The request stage: questions to people, durable, with claims and deadlines."""
