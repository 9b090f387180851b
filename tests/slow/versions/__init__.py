"""Everything on every generation of RabbitMQ: notebooks and the labs' correct solutions."""
