//! A response's head, read by three parsers: ours takes nothing that both others refuse or
//! understand otherwise.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waterclock_fuzz::differential;
use waterclock_proto::h1::{Caps, HeadStep, ResponseReader};
use waterclock_proto::message::Method;

fuzz_target!(|data: &[u8]| {
    let mut reader = ResponseReader::new(&Method::Get, Caps::default());
    let mut rest = data;
    while let Ok(HeadStep::Informational { used, status, .. }) = reader.read_head(rest) {
        let (head, behind) = rest.split_at(used);
        differential::check_interim(head, status);
        rest = behind;
    }
    // Without what follows: a body that is refused does not excuse its head.
    let mut reader = ResponseReader::new(&Method::Get, Caps::default());
    if let Ok(HeadStep::Head { used, .. }) = reader.read_head(rest) {
        differential::check(&rest[..used]);
    }
});
