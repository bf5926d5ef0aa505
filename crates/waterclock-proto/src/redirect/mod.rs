//! Redirects: whether one is followed, and what the next request looks like.
