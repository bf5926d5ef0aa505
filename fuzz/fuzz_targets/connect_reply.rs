//! A proxy's answer to CONNECT: the network's cuts do not matter; a 2xx and nothing else is a
//! tunnel, and it begins where the head ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waterclock_fuzz::input::Input;
use waterclock_fuzz::reading::SMALL;
use waterclock_proto::h1::{Caps, ProtocolError};
use waterclock_proto::message::{Headers, ResponseHead};
use waterclock_proto::tunnel::{Tunnel, TunnelStep};

#[derive(Debug, PartialEq)]
enum Answer {
    Waiting,
    Established(usize),
    Refused(usize, ResponseHead),
    Failed(String),
}

fn answer(tunnel: &mut Tunnel, input: &[u8]) -> Answer {
    match tunnel.receive(input) {
        Ok(TunnelStep::NeedInput) => Answer::Waiting,
        Ok(TunnelStep::Established { used }) => Answer::Established(used),
        Ok(TunnelStep::Refused { used, head, .. }) => Answer::Refused(used, head),
        // These show how the input began.
        Err(ProtocolError::NotHttp { .. }) => Answer::Failed("not HTTP".into()),
        Err(ProtocolError::Version { .. }) => Answer::Failed("version".into()),
        Err(ProtocolError::Status { .. }) => Answer::Failed("status".into()),
        Err(error) => Answer::Failed(error.to_string()),
    }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let (choice, seed) = (input.byte(), input.byte());
    let caps = if choice & 1 == 0 { Caps::default() } else { SMALL };
    let mut tunnel = Tunnel::new("a.test", 443, &Headers::new(), caps).expect("a request");
    tunnel.sent(tunnel.transmit().len());
    let mut cut = tunnel.clone();

    let whole = answer(&mut tunnel, input.0);
    let (mut there, mut last) = (0, Answer::Waiting);
    for piece in input.pieces(seed) {
        there += piece.len();
        last = answer(&mut cut, &input.0[..there]);
        if last != Answer::Waiting {
            break;
        }
    }
    match &whole {
        Answer::Established(used) => {
            assert!(*used <= input.0.len() && input.0[..*used].ends_with(b"\n"));
        }
        Answer::Refused(_, head) => assert!(!matches!(head.status, 200..=299)),
        Answer::Waiting => {
            let _ = tunnel.eof().to_string();
        }
        Answer::Failed(why) => assert!(!why.contains(char::is_control)),
    }
    assert_eq!(whole, last);
});
