//! The `waterclock` program.
fn main() {}
