//! Challenges: an answer, or a reason why there is none; never a control byte or the password in
//! it, and not much longer than what was asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waterclock_fuzz::input::Input;
use waterclock_proto::auth::{Challenge, Digest, GiveUp, Verdict};

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let choice = input.byte();
    let user = if choice & 1 == 0 { "Mufasa" } else { "J\u{e4}s\u{f8}n" };
    let password = input.secret(0);
    let mut digest = Digest::new(user, &password);
    for answered in 0..3 {
        let (one, two) = (input.line(), input.line());
        if one.is_empty() && answered > 0 {
            return;
        }
        let challenges = Challenge::parse_all([one, two]);
        for challenge in &challenges {
            assert!(!challenge.scheme().is_empty() && challenge.is(challenge.scheme()));
            for (name, value) in challenge.params() {
                assert!(challenge.param(name).is_some());
                assert!(!value.iter().any(|&byte| byte != b'\t' && byte.is_ascii_control()));
            }
        }
        match digest.challenged(&challenges, answered) {
            Verdict::Retry => assert!(answered < 2, "there are never more than two answers"),
            Verdict::GiveUp(reason) => return give_up(&reason, &challenges),
        }
        answer(&mut digest, &password, choice, one.len() + two.len());
        if choice & 2 != 0 {
            digest.info(input.line());
            answer(&mut digest, &password, choice, data.len());
        }
    }
});

fn answer(digest: &mut Digest, password: &str, choice: u8, asked: usize) {
    let body: Option<&[u8]> = (choice & 4 == 0).then_some(b"body");
    match digest.authorize("GET", "/dir/index.html?x", body, [7; 16]) {
        Some(Ok(value)) => {
            assert!(value.starts_with(b"Digest username"), "{}", value.escape_ascii());
            // Every byte of it may be escaped.
            assert!(value.len() <= 2 * asked + 500, "{} bytes for {asked}", value.len());
            let clean = |&byte: &u8| byte == b'\t' || !byte.is_ascii_control();
            assert!(value.iter().all(clean), "{}", value.escape_ascii());
            // A server that reads it finds what it asked for.
            let read = Challenge::parse_all([value.as_slice()]);
            assert_eq!(read.len(), 1, "{}", value.escape_ascii());
            assert_eq!(read[0].param("uri"), Some(b"/dir/index.html?x".as_slice()));
            assert!(read[0].param("response").is_some_and(|hash| hash.len() >= 32));
        }
        Some(Err(error)) => assert!(!error.to_string().contains(password)),
        None => {}
    }
    let _ = digest.covers("/dir/index.html?x");
}

fn give_up(reason: &GiveUp, challenges: &[Challenge]) {
    assert!(!reason.to_string().contains(char::is_control), "{reason:?}");
    if *reason == GiveUp::NotAsked {
        assert!(!challenges.iter().any(|challenge| challenge.is("digest")));
    }
}
