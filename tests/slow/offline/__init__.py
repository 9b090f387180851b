"""Replacements for official images and older RabbitMQs, for machines without an image registry.

Some machines can install Debian packages but cannot pull a container image. For these,
``standins`` builds the images of docker-compose.yml from Debian's packages, ``engine`` starts a
Docker engine, and ``generation`` runs a RabbitMQ of another Debian release without a container.
Where official images can be pulled, nothing here is needed: the variables of docker-compose.yml
such as ``RABBITMQ_IMAGE`` choose the images, and ``AMQP_URL`` chooses a broker.
"""
