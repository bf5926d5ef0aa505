//! A caller's header fields and target: what is accepted cannot leave its line, and is read back as
//! it was given; what is not leaves everything as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waterclock_fuzz::input::Input;
use waterclock_proto::h1::{Caps, HeadStep, ResponseReader, write_head};
use waterclock_proto::message::{Headers, Method};

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let Ok(target) = str::from_utf8(input.until(0xff)) else { return };
    let mut headers = Headers::new();
    while !input.0.is_empty() {
        let choice = input.byte();
        let (name, value) = (input.until(0xfe), input.until(0xff));
        let Ok(name) = str::from_utf8(name) else { return };
        change(&mut headers, choice, name, value);
    }
    let pairs: Vec<(&[u8], &[u8])> = headers.raw().collect();
    let mut out = b"before".to_vec();
    match write_head(&mut out, &Method::Get, target, pairs.iter().copied()) {
        Ok(()) => read_back(&out["before".len()..], target, &pairs),
        Err(error) => {
            assert_eq!(out, b"before");
            assert!(!error.to_string().contains(char::is_control), "{error}");
            assert!(!target.bytes().all(|byte| byte.is_ascii_graphic()) || target.is_empty());
        }
    }
});

fn change(headers: &mut Headers, choice: u8, name: &str, value: &[u8]) {
    let before = headers.clone();
    let changed = match choice % 4 {
        0 => {
            headers.remove(name);
            assert!(!headers.contains(name) && headers.get(name).is_none());
            return;
        }
        1 => headers.set(name, value),
        _ => headers.append(name, value),
    };
    match changed {
        Ok(()) => {
            let last = headers.get_all(name).last();
            assert_eq!(last, Some(value));
            assert!(!value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
        }
        Err(error) => {
            assert_eq!(*headers, before);
            assert!(!error.to_string().contains(char::is_control), "{error}");
        }
    }
}

/// Splits at each LF, as the most careless of recipients does; and reads with a parser.
fn read_back(head: &[u8], target: &str, pairs: &[(&[u8], &[u8])]) {
    let mut lines = head.split(|&byte| byte == b'\n');
    assert_eq!(lines.next(), Some(format!("GET {target} HTTP/1.1\r").as_bytes()));
    for (name, value) in pairs {
        assert_eq!(lines.next(), Some([name, &b": "[..], value, b"\r"].concat().as_slice()));
    }
    assert_eq!(lines.collect::<Vec<_>>(), [b"\r".as_slice(), b""]);

    let fields = &head[head.iter().position(|&byte| byte == b'\n').expect("a line") + 1..];
    let response = [b"HTTP/1.1 101 S\r\n", fields].concat();
    let mut reader = ResponseReader::new(&Method::Get, Caps::default());
    let Ok(HeadStep::Head { used, head, .. }) = reader.read_head(&response) else {
        panic!("{}", response.escape_ascii());
    };
    assert_eq!(used, response.len());
    let read: Vec<_> = head.headers.raw().collect();
    // White space behind a value is not part of it.
    let sent: Vec<_> = pairs.iter().map(|&(name, value)| (name, trim_end(value))).collect();
    assert_eq!(read, sent);
}

fn trim_end(value: &[u8]) -> &[u8] {
    let end = value.iter().rposition(|byte| !matches!(byte, b' ' | b'\t'));
    &value[..end.map_or(0, |at| at + 1)]
}
