//! A SOCKS proxy's answers: the network's cuts do not matter (but an answer that comes before its
//! question is refused), the password goes only to who asked for it, and the tunnel begins where
//! the answer ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waterclock_fuzz::input::Input;
use waterclock_proto::socks::{Socks, SocksStep, SocksTarget, SocksVersion};

const PASSWORD: &[u8] = b"Circle of Life";

/// What was sent, and how it ended: established after so many bytes, refused, or neither yet.
#[derive(Debug, PartialEq)]
struct Dialogue {
    sent: Vec<u8>,
    end: Option<Result<usize, String>>,
}

/// Holds a dialogue with a proxy that sends each of the pieces when it has been told all there is.
fn talk<'a>(socks: &mut Socks, pieces: impl Iterator<Item = &'a [u8]>) -> Dialogue {
    let (mut sent, mut input) = (Vec::new(), Vec::new());
    let mut say = |socks: &mut Socks| {
        sent.extend_from_slice(socks.transmit());
        socks.sent(socks.transmit().len());
    };
    say(socks);
    let mut end = None;
    for piece in pieces {
        input.extend_from_slice(piece);
        match socks.receive(&input) {
            Ok(SocksStep::NeedInput) => say(socks),
            Ok(SocksStep::Established { used }) => {
                assert!(used <= input.len());
                end = Some(Ok(used));
                break;
            }
            Err(error) => {
                end = Some(Err(error.to_string()));
                break;
            }
        }
    }
    let _ = socks.eof().to_string();
    Dialogue { sent, end }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let (choice, seed) = (input.byte(), input.byte());
    let version = [SocksVersion::V5, SocksVersion::V4a, SocksVersion::V4][usize::from(choice % 3)];
    let target = match (version, choice & 64) {
        (SocksVersion::V4, _) => SocksTarget::Address(([192, 0, 2, 1], 80).into()),
        (_, 0) => SocksTarget::Name("a.test", 443),
        _ => SocksTarget::Address(([192, 0, 2, 1], 80).into()),
    };
    let credentials = (choice & 128 != 0).then_some((b"Mufasa".as_slice(), PASSWORD));
    let mut socks = Socks::new(version, target, credentials).expect("can be said");

    // A byte at a time, nothing can come early: that is the dialogue by which others are judged.
    let slow = talk(&mut socks.clone(), input.0.chunks(1));
    let fast = talk(&mut socks, input.pieces(seed));
    if fast.end != slow.end {
        assert!(fast.end.as_ref().is_some_and(Result::is_err), "{fast:?} where {slow:?}");
        assert!(slow.sent.starts_with(&fast.sent) || fast.sent.starts_with(&slow.sent));
    }
    let told = slow.sent.windows(PASSWORD.len()).any(|window| window == PASSWORD);
    assert!(!told || (version == SocksVersion::V5 && input.0.starts_with(&[5, 2])));
    if let Some(Err(why)) = &slow.end {
        assert!(!why.contains("Circle") && !why.contains(char::is_control));
    }
});
