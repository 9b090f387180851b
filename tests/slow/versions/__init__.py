"""Run notebooks and the labs' correct solutions on each generation of RabbitMQ."""
