//! SOCKS: the dialogue that turns a connection to a proxy into one to an origin.
