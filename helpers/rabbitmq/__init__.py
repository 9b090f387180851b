"""RabbitMQ itself: readiness, the management API, private nodes and clusters."""
