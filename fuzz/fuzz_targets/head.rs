//! A response's head: the network's cuts do not matter, and what was read can be written and read
//! again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waterclock_fuzz::input::Input;
use waterclock_fuzz::reading::{self, SMALL};
use waterclock_proto::h1::{Caps, keep_alive};
use waterclock_proto::message::Method;

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let (choice, seed) = (input.byte(), input.byte());
    let method = [Method::Get, Method::Head, Method::Connect][usize::from(choice % 3)].clone();
    let caps = if choice & 64 == 0 { Caps::default() } else { SMALL };
    let close = choice & 128 != 0;
    let whole = reading::whole(&method, caps, input.0, close);
    let pieces = reading::in_pieces(&method, caps, input.pieces(seed), choice & 32 != 0, close);
    if let Some((head, [start, end], framing)) = &whole.head {
        assert!(start < end && *end <= input.0.len());
        let _ = keep_alive(false, head, *framing);
        let mut bytes = Vec::with_capacity(end - start + 64);
        reading::write(head, &mut bytes);
        let again = reading::whole(&method, Caps::default(), &bytes, false);
        let (read, place, same_framing) = again.head.expect("a head that was written is one");
        assert_eq!((&read, place, same_framing), (head, [0, bytes.len()], *framing));
    }
    reading::assert_same(whole, pieces);
});
