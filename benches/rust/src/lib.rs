//! The clients that are compared, all behind one trait. See `main.rs` for what is measured.

pub mod client;
pub mod clients;
pub mod one_shot;
