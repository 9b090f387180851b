"""Plug-ins and fixtures that several tests share."""
