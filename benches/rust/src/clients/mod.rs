//! One file a client.

pub mod attohttpc;
pub mod curl;
pub mod hyper;
pub mod raw;
pub mod reqwest;
pub mod reqwest_blocking;
pub mod ureq;
pub mod waterclock;

use crate::client::{Client, Result, Setup};

/// What makes one, and what it cannot do.
pub struct Kind {
    pub name: &'static str,
    pub make: fn(&Setup) -> Result<Box<dyn Client>>,
    pub keeps_alive: bool,
    pub has_tls: bool,
    /// The content codings that it decodes.
    pub codings: &'static [&'static str],
}

/// The floor comes first: ratios are against it.
pub const ALL: [Kind; 8] = [
    Kind { name: "raw", make: raw::make, ..FULL },
    Kind { name: "waterclock", make: waterclock::make, ..FULL },
    Kind { name: "hyper", make: hyper::make, has_tls: false, codings: &[], ..FULL },
    Kind { name: "ureq", make: ureq::make, codings: &["gzip", "br"], ..FULL },
    Kind { name: "curl", make: curl::make, codings: &["gzip"], ..FULL },
    Kind { name: "reqwest", make: reqwest::make, ..FULL },
    Kind { name: "reqwest-blocking", make: reqwest_blocking::make, ..FULL },
    Kind {
        name: "attohttpc",
        make: attohttpc::make,
        keeps_alive: false,
        codings: &["gzip"],
        ..FULL
    },
];

const FULL: Kind = Kind {
    name: "",
    make: raw::make,
    keeps_alive: true,
    has_tls: true,
    codings: &["gzip", "br", "zstd"],
};

/// A body of `length` zeros, as a stream.
pub(crate) fn zeros(length: u64) -> std::io::Take<std::io::Repeat> {
    std::io::Read::take(std::io::repeat(0), length)
}
