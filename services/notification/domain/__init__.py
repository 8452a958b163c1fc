"""The rules of notification: who receives which mail, what it says, and when it is tried again."""
