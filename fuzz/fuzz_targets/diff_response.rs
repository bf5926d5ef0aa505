//! A response with its body, read by three parsers: ours takes nothing that both others refuse, or
//! whose content they find to be other or to end elsewhere.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waterclock_fuzz::differential;
use waterclock_fuzz::input::Input;

/// Heads that lead straight to a body; the last is the input's own.
const HEADS: [&[u8]; 4] = [
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    b"",
];

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let head = HEADS[usize::from(input.byte()) % HEADS.len()];
    differential::check(&[head, input.0].concat());
});
