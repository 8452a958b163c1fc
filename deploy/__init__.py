"""How the product is put on machines: containers, gateway, mail catcher, the one-process runner."""
