"""Clicks become orders; contents become the panel. Makes no requests of its own."""
