"""May this subject do that? Answered from memory, fresh or not at all."""
