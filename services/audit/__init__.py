"""Audit keeps the record of every change, and searches it."""
