"""RabbitMQ itself: when it is ready, its management API, nodes and clusters of our own."""
