//! What is measured, one file a group.

pub(crate) mod bulk;
pub(crate) mod latency;
pub(crate) mod limits;
pub(crate) mod program;
pub(crate) mod threads;
