"""The use cases of notification: queue the messages of a fact, and deliver them."""
