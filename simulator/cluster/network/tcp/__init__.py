"""The stream transport: sockets, segments and the network that carries them."""
