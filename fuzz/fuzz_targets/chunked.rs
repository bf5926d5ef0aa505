//! A chunked body with trailers: the network's cuts do not matter, the body ends exactly where it
//! ends, and its content can be sent in chunks again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waterclock_fuzz::input::Input;
use waterclock_fuzz::reading::{self, End, Outcome, SMALL};
use waterclock_proto::h1::{Caps, write_chunk, write_last_chunk};
use waterclock_proto::message::Method;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

fn read(caps: Caps, coded: &[u8], close: bool) -> Outcome {
    reading::in_pieces(&Method::Get, caps, [HEAD, coded], false, close)
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let (choice, seed) = (input.byte(), input.byte());
    let caps = if choice & 1 == 0 { Caps::default() } else { Caps { head_bytes: 1000, ..SMALL } };
    let close = choice & 4 != 0;
    let whole = read(caps, input.0, close);
    let pieces = std::iter::once(HEAD).chain(input.pieces(seed));
    let pieces = reading::in_pieces(&Method::Get, caps, pieces, choice & 2 != 0, close);
    if whole.end == End::Done {
        let used = whole.used - HEAD.len();
        assert_eq!(read(caps, &input.0[..used], close), whole, "what follows is of no account");
        if !close {
            let cut = read(caps, &input.0[..used - 1], false);
            assert_eq!((cut.end, &cut.content), (End::Waiting, &whole.content));
        }
        let mut coded = Vec::with_capacity(whole.content.len() + 64);
        let half = whole.content.len() / 2;
        write_chunk(&mut coded, &whole.content[..half]);
        write_chunk(&mut coded, &whole.content[half..]);
        write_last_chunk(&mut coded);
        let again = read(Caps::default(), &coded, false);
        assert_eq!((again.end, &again.content), (End::Done, &whole.content));
    }
    reading::assert_same(whole, pieces);
});
