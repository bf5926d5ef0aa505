//! The network's cuts must not matter, and no bytes may panic.

use super::*;
use proptest::prelude::*;

/// Small caps, so that random input runs into them.
fn caps() -> Caps {
    Caps {
        head_bytes: 200,
        fields: 6,
        chunk_line: 12,
        chunk_extensions: 20,
        trailer_bytes: 24,
        informational: 2,
        body_bytes: 30,
    }
}

fn in_pieces(input: &[u8], caps: Caps, cuts: &[usize], direct: bool, then: Then) -> Outcome {
    let mut exchange = Exchange::new(&Method::Get, caps);
    let mut from = 0;
    let mut fed = Ok(());
    for cut in cuts.iter().copied().chain([input.len()]) {
        if fed.is_ok() && cut >= from {
            fed = exchange.feed(&input[from..cut], direct);
            from = cut;
        }
    }
    comparable(exchange.finish(fed, then))
}

/// An error that shows how the input begins shows what was there of it.
fn comparable(outcome: Outcome) -> Outcome {
    use ProtocolError as E;
    let Outcome::Failed { mut error, content } = outcome else { return outcome };
    if let E::NotHttp { received } | E::Version { received } | E::Status { received } = &mut error {
        *received = "".into();
    }
    Outcome::Failed { error, content }
}

const WHOLE: [&str; 17] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloEXTRA",
    "HTTP/1.1 200\nContent-Length: 5\nX:\r\n  a\r\n\tb\r\n\nhello",
    "\r\nHTTP/1.1 103 Hint\r\nLink: x\r\n\r\nHTTP/1.0 404 Not Found\r\n\r\nrest",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n2;x=\"y\" \r\n!!\r\n0\r\n\r\nHTTP/1.1",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0;x\r\nA: b\r\nC:\t d\r\n\r\nrest",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;aaaaaaaaaaaaaaaaaaaa\r\nabc\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer-Too: large for the cap\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\nC: d\r\n\r\n",
    "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
    "HTTP/1.1 200 OK\rX: y\r\n\r\n",
    "HTTP/1.1 20 OK\r\n\r\n",
    "SSH-2.0-OpenSSH\r\n",
    "HTTP/1.1 204 None\r\nA: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\nA: 5\r\nA: 6\r\nA: 7\r\n\r\n",
    "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n\x01\x02",
];

#[test]
fn every_single_cut_gives_the_same() {
    for input in WHOLE.map(str::as_bytes) {
        for (caps, then) in [(caps(), Then::Hold), (Caps::default(), Then::Close)] {
            let whole = in_pieces(input, caps, &[], false, then);
            let drip: Vec<usize> = (0..input.len()).collect();
            for direct in [false, true] {
                assert_eq!(in_pieces(input, caps, &drip, direct, then), whole);
                for cut in 0..=input.len() {
                    let cut_once = in_pieces(input, caps, &[cut], direct, then);
                    assert_eq!(cut_once, whole, "{:?} cut at {cut}", input.escape_ascii());
                }
            }
        }
    }
}

/// Pieces that responses are made of, right and wrong ones: random sequences of them reach states
/// that random bytes do not.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 200 OK\n",
        "HTTP/1.1 100 C\r\n\r\n",
        "HTTP/1.1 304 N\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: 5, 5\r\n",
        "X: y\r\n",
        "X:",
        " fold",
        "\r\n",
        "\n",
        "\r",
        "\t",
        ":",
        "0\r\n",
        "5\r\nhello\r\n",
        "a;b=c",
        "1 \r\n",
        "hello",
        "\0",
        "0\r\n\r\n",
        "F: t\r\n\r\n",
        "\x7f",
        "\u{e4}",
    ]);
    prop_oneof![
        8 => known.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ]
}

fn response() -> impl Strategy<Value = Vec<u8>> {
    let start = prop::sample::select(vec![
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ]);
    (start, prop::collection::vec(piece(), 0..12))
        .prop_map(|(start, rest)| [start.as_bytes(), &rest.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_cuts_give_the_same(
        input in response(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        direct: bool,
        close: bool,
        small: bool,
    ) {
        let then = if close { Then::Close } else { Then::Hold };
        let caps = if small { caps() } else { Caps::default() };
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
        cuts.sort_unstable();
        let whole = in_pieces(&input, caps, &[], false, then);
        prop_assert_eq!(in_pieces(&input, caps, &cuts, direct, then), whole);
    }

    #[test]
    fn any_bytes_are_survived(input in prop::collection::vec(any::<u8>(), 0..300)) {
        // Whatever comes of it: no panic, and an error that can be printed on a terminal.
        for method in [Method::Get, Method::Head, Method::Connect] {
            let outcome = run(&method, &input, Then::Close);
            if let Outcome::Failed { error, .. } = outcome {
                let text = error.to_string();
                prop_assert!(text.is_ascii() && !text.contains(|c: char| c.is_ascii_control()));
            }
        }
    }

    /// What we send in chunks, we read back, whatever the chunks are.
    #[test]
    fn chunks_round_trip(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..10)) {
        let mut input = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in &chunks {
            write_chunk(&mut input, chunk);
        }
        write_last_chunk(&mut input);
        prop_assert_eq!(get(&input, Then::Hold).answer().content, chunks.concat());
    }

    /// Header fields come out as they went in, in order and case.
    #[test]
    fn fields_round_trip(
        fields in prop::collection::vec(("[!-9;-~&&[^\"(),/:;<=>?@\\[\\\\\\]{}]]{1,9}", "([!-~]([ -~\t]{0,9}[!-~])?)?"), 0..20),
    ) {
        let mut headers = crate::message::Headers::new();
        for (name, value) in &fields {
            headers.append(&format!("X-{name}"), value).unwrap();
        }
        let mut input = b"HTTP/1.1 204 None\r\n".to_vec();
        for (name, value) in &headers {
            input.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        input.extend(b"\r\n");
        prop_assert_eq!(get(&input, Then::Hold).answer().head.headers, headers);
    }
}
