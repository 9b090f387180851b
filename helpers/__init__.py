"""The parts that notebooks, labs and tests share.

The modules here, ``broker``, ``metrics``, ``plots`` and ``services`` are for notebooks. Below them
are ``rabbitmq``, which runs nodes, and ``machine``, which is about this computer. Above them are
``suite``, which runs everything, and ``classroom``, for a class on one machine.
"""
