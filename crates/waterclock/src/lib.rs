//! A blocking HTTP client in which every wait is bounded by a named limit, recorded and explained.

pub mod world;
